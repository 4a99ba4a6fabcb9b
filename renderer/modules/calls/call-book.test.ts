import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../../protocol/calls.ts';
import { CallId, DeviceId } from '../../../protocol/ids.ts';
import {
  EMPTY_BOOK,
  isOnOtherDevice,
  rejoinableCalls,
  withActive,
  withCall,
  withEnded,
  withinLimit,
} from './call-book.ts';
import { LIMITS } from './limits.ts';
import { ADA, BEN, CAI, call, CALL, DEVICE, participant, uuid } from './testing/calls.ts';

const joined = (revision: number): Call => call(revision, [participant(ADA, 'joined'), participant(BEN, 'joined')]);

describe('the book of calls', () => {
  test('takes a newer description and leaves a late one', () => {
    const book = withCall(withCall(EMPTY_BOOK, joined(3)), joined(2));
    expect(book.calls.get(CALL)?.revision).toBe(3);
    expect(withCall(book, joined(3))).toBe(book);
    expect(withCall(book, joined(4)).calls.get(CALL)?.revision).toBe(4);
  });

  test('a call that ended stays ended, whatever arrives late', () => {
    const book = withEnded(withCall(EMPTY_BOOK, joined(3)), CALL);
    expect(book.calls.size).toBe(0);
    expect(withCall(book, joined(9))).toBe(book);
  });

  test('in whatever order descriptions arrive, the newest is kept', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (revisions) => {
        const book = revisions.map(joined).reduce(withCall, EMPTY_BOOK);
        expect(book.calls.get(CALL)?.revision).toBe(Math.max(...revisions));
      }),
    );
  });

  test('after missed events, what the server does not list is over', () => {
    const other = { ...joined(1), callId: '00000000-0000-4000-8000-000000000101' as Call['callId'] };
    const book = withActive(withCall(EMPTY_BOOK, joined(5)), [other]);
    expect([...book.calls.keys()]).toEqual([other.callId]);
    expect(withCall(book, joined(6))).toBe(book);
  });

  test('one may come back to a call that goes on without oneself', () => {
    const without = (self: 'left' | 'missed' | 'joined' | 'ringing') =>
      withCall(EMPTY_BOOK, call(1, [participant(ADA, 'joined'), participant(CAI, 'joined'), participant(BEN, self)]));
    for (const state of ['left', 'missed'] as const) expect(rejoinableCalls(without(state), BEN, null)).toHaveLength(1);
    for (const state of ['joined', 'ringing'] as const) expect(rejoinableCalls(without(state), BEN, null)).toEqual([]);
    expect(rejoinableCalls(without('left'), BEN, CALL)).toEqual([]);
  });

  test('nobody comes back to an empty call', () => {
    const book = withCall(EMPTY_BOOK, call(1, [participant(ADA, 'left'), participant(BEN, 'left')]));
    expect(rejoinableCalls(book, BEN, null)).toEqual([]);
  });

  test('the same person on another device is told apart', () => {
    expect(isOnOtherDevice(joined(1), BEN, DEVICE)).toBe(false);
    expect(isOnOtherDevice(joined(1), BEN, DeviceId.parse(8))).toBe(true);
  });
});

describe('what a server may make it keep', () => {
  test('is so many calls, the oldest forgotten first, but never one that is kept', () => {
    const ids = Array.from({ length: LIMITS.knownCalls.value + 5 }, (_, i) => CallId.parse(uuid(1000 + i)));
    const book = ids.reduce(
      (known, callId) => withinLimit(withCall(known, call(1, [], { callId })), [ids[0], callId]),
      EMPTY_BOOK,
    );
    expect([...book.calls.keys()]).toEqual([ids[0], ...ids.slice(6)]);
  });

  test('is so many of those that are over', () => {
    const ids = Array.from({ length: LIMITS.remembered.value + 5 }, (_, i) => CallId.parse(uuid(1000 + i)));
    const book = ids.reduce(withEnded, EMPTY_BOOK);
    expect([...book.ended]).toEqual(ids.slice(5));
  });
});
