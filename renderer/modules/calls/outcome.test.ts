import { describe, expect, test } from 'vitest';
import { CallId } from '../../../protocol/ids.ts';
import { endOfOwnCall, endOfRing, refusalOf, winsGlare } from './outcome.ts';
import { ADA, BEN, CAI, call, participant, uuid } from './testing/calls.ts';

const base = { outgoing: true, answeredAt: null, now: 10_000, hungUp: false, self: ADA };
const states = (...others: Parameters<typeof participant>[1][]) =>
  call(1, [participant(ADA, 'joined'), ...others.map((state, index) => participant([BEN, CAI][index] ?? CAI, state))]);

describe('how a call of one’s own ended', () => {
  test('people talked: answered, with the time they did', () => {
    const end = endOfOwnCall({ ...base, answeredAt: 4_000, hungUp: true, call: states('left') });
    expect(end).toEqual({ outcome: 'answered', durationMs: 6_000 });
  });
  test('a clock set back gives no negative time', () => {
    expect(endOfOwnCall({ ...base, answeredAt: 20_000, call: undefined }).durationMs).toBe(0);
  });
  test('the caller hangs up while it rings: cancelled', () => {
    expect(endOfOwnCall({ ...base, hungUp: true, call: states('ringing') }).outcome).toBe('cancelled');
    expect(endOfOwnCall({ ...base, hungUp: true, call: undefined }).outcome).toBe('cancelled');
  });
  test('declined by everybody: declined; by some: unanswered', () => {
    expect(endOfOwnCall({ ...base, call: states('declined') }).outcome).toBe('declined');
    expect(endOfOwnCall({ ...base, call: states('declined', 'missed') }).outcome).toBe('unanswered');
  });
  test('nobody came: unanswered, busy or not', () => {
    for (const state of ['missed', 'busy'] as const) {
      expect(endOfOwnCall({ ...base, call: states(state) })).toEqual({ outcome: 'unanswered', durationMs: null });
    }
  });
  test('accepted, and nobody was there any more: missed', () => {
    expect(endOfOwnCall({ ...base, outgoing: false, call: undefined }).outcome).toBe('missed');
  });
});

test('how a ring ended that was not answered here', () => {
  expect(endOfRing('joined')).toBe('answered');
  expect(endOfRing('left')).toBe('answered');
  expect(endOfRing('declined')).toBe('declined');
  expect(endOfRing('missed')).toBe('missed');
  expect(endOfRing('busy')).toBe('missed');
  expect(endOfRing(undefined)).toBe('missed');
});

test('what the caller is told', () => {
  expect(refusalOf(states('declined'), ADA)).toBe('declined');
  expect(refusalOf(states('busy'), ADA)).toBe('busy');
  expect(refusalOf(states('missed'), ADA)).toBe('unanswered');
  expect(refusalOf(undefined, ADA)).toBe('unanswered');
});

test('two crossing calls have exactly one winner', () => {
  const [one, other] = [CallId.parse(uuid(1)), CallId.parse(uuid(2))];
  expect(winsGlare(one, other)).not.toBe(winsGlare(other, one));
});
