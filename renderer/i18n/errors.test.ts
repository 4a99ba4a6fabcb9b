import { describe, expect, test } from 'vitest';
import { ErrorCode, ProtocolError } from '../../protocol/errors.ts';
import { OfflineError, TimeoutError } from '../net/connection.ts';
import { en } from './en.ts';
import { errorKeyOf, wordsFor } from './errors.ts';

describe('every code of the protocol', () => {
  test.each(ErrorCode.options)('%s has words of its own that help', (code) => {
    const words = en.errors[code];
    expect(words).toMatch(/^[A-Z].{10,}\.$/);
    expect(words).not.toContain(code);
  });
  test('no two say the same', () => {
    expect(new Set(Object.values(en.errors)).size).toBe(Object.keys(en.errors).length);
  });
});

test('the cause decides, not the message', () => {
  const secret = 'a value that must not be shown';
  for (const error of [
    new ProtocolError('forbidden', secret),
    new OfflineError(secret),
    new Error(secret),
    secret,
    null,
  ]) {
    expect(wordsFor(error, en)).not.toContain(secret);
  }
  expect(errorKeyOf(new ProtocolError('forbidden', ''))).toBe('forbidden');
  expect(errorKeyOf(new OfflineError())).toBe('offline');
  expect(errorKeyOf(new TimeoutError())).toBe('timeout');
  expect(errorKeyOf(new TypeError())).toBe('unexpected');
});

test('a rate limit says how long to wait, in the unit that suits', () => {
  const limited = (retryAfterMs: number) => wordsFor(new ProtocolError('rate_limited', '', { retryAfterMs }), en);
  expect(limited(4200)).toContain('5 seconds');
  expect(limited(30 * 60_000)).toContain('30 minutes');
  expect(limited(0)).toBe(en.errors.rate_limited);
});
