import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Call,
  MAX_MEMBERS,
  MAX_PARTICIPANTS,
  type ParticipantId,
  REJOIN_MS,
  RING_MS,
  type Source,
} from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, DeviceId, UserId } from '../../../protocol/ids.ts';
import * as state from './call-state.ts';
import type { CallState } from './call-state.ts';

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const user = (n: number) => uuid(n) as UserId;
const device = (n: number) => n as DeviceId;
const [alice, bob, carol] = [user(1), user(2), user(3)];
const T0 = 1_000_000;

function ids(): () => ParticipantId {
  let next = 1000;
  return () => uuid(next++) as ParticipantId;
}

function start(invited: UserId[], newId = ids()): CallState {
  const starter = { userId: alice, deviceId: device(11) };
  return state.startCall(
    { callId: uuid(9) as CallId, media: 'video', starter, invited, now: T0, startedAt: T0 },
    newId,
  );
}

const asking = (now: number) => ({ by: alice, busy: new Set<UserId>(), now });
const join = (call: CallState, userId: UserId, n = 21) => state.join(call, { userId, deviceId: device(n) });
const stateOf = (call: CallState, userId: UserId) => state.memberOf(call, userId)?.state;

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a call between two', () => {
  it('rings the other and waits for the starter', () => {
    const call = start([bob]);
    expect(state.toWire(call).participants.map((p) => [p.userId, p.deviceId, p.state])).toEqual([
      [alice, 11, 'reconnecting'],
      [bob, null, 'ringing'],
    ]);
    expect(call.revision).toBe(1);
    expect(state.hasEnded(call)).toBe(false);
  });

  it('is joined by both', () => {
    const call = join(join(start([bob]), alice, 11), bob, 21);
    expect(stateOf(call, alice)).toBe('joined');
    expect(state.memberOf(call, bob)).toMatchObject({ state: 'joined', deviceId: 21, deadline: null });
    expect(call.revision).toBe(3);
    expect(state.nextDeadline(call)).toBeNull();
  });

  it.each(['declined', 'busy'] as const)('ends when the other is %s', (reason) => {
    const call = state.decline(join(start([bob]), alice, 11), bob, reason);
    expect(stateOf(call, bob)).toBe(reason);
    expect(state.hasEnded(call)).toBe(true);
  });

  it('ends when either leaves', () => {
    const both = join(join(start([bob]), alice, 11), bob);
    expect(state.hasEnded(state.leave(both, alice))).toBe(true);
    expect(state.hasEnded(state.leave(both, bob))).toBe(true);
  });

  it('ends as missed after the ring time, not a moment before', () => {
    const call = join(start([bob]), alice, 11);
    expect(state.nextDeadline(call)).toBe(T0 + RING_MS);
    expect(state.expire(call, T0 + RING_MS - 1)).toBe(call);
    const late = state.expire(call, T0 + RING_MS);
    expect(stateOf(late, bob)).toBe('missed');
    expect(state.hasEnded(late)).toBe(true);
  });

  it('ends when its starter never joins', () => {
    const call = state.expire(join(start([bob]), bob), T0 + RING_MS);
    expect(stateOf(call, alice)).toBe('left');
    expect(state.hasEnded(call)).toBe(true);
  });

  it('ends when its starter gives up before joining', () => {
    expect(state.hasEnded(state.leave(start([bob]), alice))).toBe(true);
  });

  it('keeps the place of one whose connection is lost, for the rejoin time', () => {
    const both = state.setLive(join(join(start([bob]), alice, 11), bob), bob, ['microphone']);
    const away = state.disconnect(both, bob, T0 + 5000);
    expect(state.memberOf(away, bob)).toMatchObject({ state: 'reconnecting', deviceId: 21, live: [] });
    expect(state.hasEnded(away)).toBe(false);
    expect(stateOf(join(away, bob, 22), bob)).toBe('joined');
    expect(state.hasEnded(state.expire(away, T0 + 5000 + REJOIN_MS))).toBe(true);
  });
});

describe('a group call', () => {
  it('goes on with one who waits, and ends with the last', () => {
    const call = join(start([bob, carol]), alice, 11);
    const alone = state.decline(state.decline(call, bob, 'declined'), carol, 'busy');
    expect(state.hasEnded(alone)).toBe(false);
    expect(state.hasEnded(state.leave(alone, alice))).toBe(true);
  });

  it('can be joined late, and again', () => {
    const call = state.decline(join(start([bob, carol]), alice, 11), bob, 'declined');
    const back = join(call, bob);
    expect(stateOf(back, bob)).toBe('joined');
    expect(stateOf(join(state.leave(back, bob), bob), bob)).toBe('joined');
  });

  it('rings those asked again, and nobody who is in it', () => {
    const call = state.decline(join(start([bob, carol]), alice, 11), bob, 'declined');
    const before = state.memberOf(call, bob)?.participantId;
    const again = state.invite(call, [alice, bob, carol], asking(T0 + 9000), ids());
    expect(state.memberOf(again, bob)).toMatchObject({ state: 'ringing', deadline: T0 + 9000 + RING_MS });
    expect(state.memberOf(again, bob)?.participantId).toBe(before);
    expect(state.memberOf(again, carol)?.deadline).toBe(T0 + RING_MS);
    expect(stateOf(again, alice)).toBe('joined');
    expect(state.invite(again, [alice, bob], asking(T0 + 9500), ids())).toBe(again);
  });

  it('holds only so many people', () => {
    const others = Array.from({ length: MAX_PARTICIPANTS - 1 }, (_, n) => user(n + 2));
    const full = join(start(others), alice, 11);
    expect(refusal(() => state.invite(full, [user(50)], asking(T0), ids()))).toBe('call_full');
    const swapped = state.invite(state.decline(full, bob, 'declined'), [user(50)], asking(T0), ids());
    expect(swapped.members).toHaveLength(MAX_PARTICIPANTS + 1);
    expect(refusal(() => join(swapped, bob))).toBe('call_full');
    expect(stateOf(join(swapped, user(50)), user(50))).toBe('joined');
  });

  it('cannot grow without end by people coming and going', () => {
    let call = join(start([bob, carol]), alice, 11);
    const newId = ids();
    const inviteOne = (n: number) => {
      call = state.decline(state.invite(call, [user(n)], asking(T0), newId), user(n), 'declined');
    };
    for (let n = 100; call.members.length < MAX_MEMBERS; n += 1) inviteOne(n);
    expect(refusal(() => inviteOne(999))).toBe('call_full');
  });
});

describe('refusals', () => {
  it('needs somebody else to call', () => {
    expect(refusal(() => start([alice]))).toBe('invalid_request');
  });

  it('counts nobody twice', () => {
    expect(start([bob, bob, alice]).members).toHaveLength(2);
  });

  it('knows no strangers', () => {
    expect(refusal(() => join(start([bob]), carol))).toBe('call_unknown');
  });

  it('ignores what does not fit the state', () => {
    const call = join(start([bob, carol]), alice, 11);
    expect(state.decline(call, alice, 'declined')).toBe(call);
    expect(state.leave(call, bob)).toBe(call);
    expect(state.disconnect(call, bob, T0)).toBe(call);
    expect(state.setLive(call, bob, ['camera'])).toBe(call);
    expect(state.setLive(call, alice, [])).toBe(call);
  });
});

type Step =
  | { kind: 'join' | 'leave' | 'disconnect'; who: number }
  | { kind: 'decline'; who: number; reason: 'declined' | 'busy' }
  | { kind: 'invite'; who: number[] }
  | { kind: 'live'; who: number; live: Source[] }
  | { kind: 'wait'; ms: number };

const who = fc.integer({ min: 1, max: 12 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('join', 'leave', 'disconnect'), who }),
  fc.record({ kind: fc.constant('decline' as const), who, reason: fc.constantFrom('declined', 'busy') }),
  fc.record({ kind: fc.constant('invite' as const), who: fc.uniqueArray(who, { minLength: 1, maxLength: 7 }) }),
  fc.record({
    kind: fc.constant('live' as const),
    who,
    live: fc.uniqueArray(fc.constantFrom<Source>('microphone', 'camera', 'screen', 'screen-audio')),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
);

function apply(call: CallState, step: Step, now: number, newId: () => ParticipantId): CallState {
  switch (step.kind) {
    case 'join':
      return state.join(call, { userId: user(step.who), deviceId: device(step.who) });
    case 'leave':
      return state.leave(call, user(step.who));
    case 'disconnect':
      return state.disconnect(call, user(step.who), now);
    case 'decline':
      return state.decline(call, user(step.who), step.reason);
    case 'invite':
      return state.invite(call, step.who.map(user), asking(now), newId);
    case 'live':
      return state.setLive(call, user(step.who), step.live);
    case 'wait':
      return state.expire(call, now);
  }
}

function checkInvariants(before: CallState, after: CallState, now: number): void {
  expect(after.revision).toBe(after === before ? before.revision : before.revision + 1);
  expect(Call.safeParse(state.toWire(after)).success).toBe(true);
  for (const member of after.members) {
    const isIn = member.state === 'joined' || member.state === 'reconnecting';
    expect(member.deviceId !== null).toBe(isIn);
    expect(member.deadline !== null).toBe(member.state === 'ringing' || member.state === 'reconnecting');
    if (member.deadline !== null) expect(member.deadline - now).toBeLessThanOrEqual(RING_MS);
    if (member.state !== 'joined') expect(member.live).toEqual([]);
  }
  const present = after.members.filter(({ state: s }) => s === 'joined' || s === 'reconnecting' || s === 'ringing');
  expect(present.length).toBeLessThanOrEqual(MAX_PARTICIPANTS);
  expect(new Set(after.members.map(({ userId }) => userId)).size).toBe(after.members.length);
  expect(new Set(after.members.map(({ participantId }) => participantId)).size).toBe(after.members.length);
  for (const member of before.members) {
    expect(state.memberOf(after, member.userId)?.participantId).toBe(member.participantId);
  }
  if (!after.members.some(({ state: s }) => s === 'joined' || s === 'reconnecting')) {
    expect(state.hasEnded(after)).toBe(true);
  }
}

describe('any sequence of actions', () => {
  it('keeps the invariants', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          who.filter((n) => n > 1),
          { minLength: 1, maxLength: 7 },
        ),
        fc.array(anyStep, { maxLength: 60 }),
        (invited, steps) => {
          const newId = ids();
          let now = T0;
          let call = start(invited.map(user), newId);
          for (const step of steps) {
            if (state.hasEnded(call)) return;
            if (step.kind === 'wait') now += step.ms;
            const before = call;
            try {
              call = apply(before, step, now, newId);
            } catch (error) {
              // A refusal is an answer; anything else is a bug.
              if (!(error instanceof ProtocolError)) throw error;
            }
            checkInvariants(before, call, now);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves nobody waiting once the longest time is over', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const newId = ids();
        let call = start([bob, carol], newId);
        for (const step of steps) {
          try {
            call = apply(call, step, T0, newId);
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error;
          }
        }
        const late = state.expire(call, T0 + RING_MS);
        expect(state.nextDeadline(late)).toBeNull();
        expect(state.hasEnded(late)).toBe(!late.members.some((member) => member.state === 'joined') || !canGoOn(late));
      }),
    );
  });
});

/** The rule for a call between two, said the other way round. */
function canGoOn(call: CallState): boolean {
  return call.members.length > 2 || call.members.every((member) => member.state === 'joined');
}
