import { expect, test } from 'vitest';
import { ErrorCode } from '../../../protocol/errors.ts';
import { en } from '../../i18n/en.ts';
import { mayRetry, whyHeldBack, whyNotSent } from './not-sent.ts';

test.each(ErrorCode.options)('the reason %s has words that say what helps', (code) => {
  expect(whyNotSent(code, en)).toMatch(/^[A-Z].*[a-z]\.$/s);
});

test('words that ask to try again stand beside a button that does', () => {
  const asking = ErrorCode.options.filter((code) => /try again/i.test(whyNotSent(code, en)));
  expect(asking).toContain('queue_full');
  expect(asking.filter((code) => !mayRetry(code))).toEqual([]);
});

test('what is refused however often it is sent can only be discarded', () => {
  expect(ErrorCode.options.filter((code) => !mayRetry(code))).toEqual(['invalid_request', 'frame_too_large']);
  expect(mayRetry(undefined)).toBe(true);
});

test('what could not reach a suspended person can be tried again once they are let in, and says so until then', () => {
  expect(mayRetry('user_unknown', 'suspended')).toBe(false);
  expect(whyNotSent('user_unknown', en, 'suspended')).toMatch(/suspended.*administrator/);
  expect(mayRetry('user_unknown')).toBe(true);
  expect(whyNotSent('user_unknown', en)).toMatch(/try again/i);
  expect(mayRetry('user_unknown', 'removed')).toBe(false);
  expect(whyNotSent('user_unknown', en, 'removed')).toMatch(/not here any more/);
});

test.each(['storage_full', 'quota_sender', 'rate_limited', 'unavailable', 'internal'] as const)(
  'while the server takes nothing (%s), the words say that what was written is kept, and ask for nothing',
  (reason) => {
    expect(whyHeldBack(reason, en)).toMatch(/what you wrote is kept/i);
    expect(whyHeldBack(reason, en)).not.toMatch(/try again/i);
  },
);
