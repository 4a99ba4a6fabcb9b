import type { Call, ParticipantState } from '../../../protocol/calls.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { CallOutcome } from '../chat/model.ts';
import { othersOf } from './call-book.ts';

/** What the chat's entry of a call says, and for how long people talked. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  /** Milliseconds; null where nobody talked, or on another device. */
  readonly durationMs: number | null;
}

/**
 * How a call ended that this device took part in.
 * @param answeredAt when the first other person was there; null if nobody ever was
 * @param hungUp whether this person ended it, rather than the others or the clock
 */
export function endOfOwnCall(input: {
  readonly outgoing: boolean;
  readonly answeredAt: number | null;
  readonly now: number;
  readonly hungUp: boolean;
  readonly call: Call | undefined;
  readonly self: UserId;
}): CallEnd {
  const { outgoing, answeredAt, now, hungUp, call, self } = input;
  if (answeredAt !== null) return { outcome: 'answered', durationMs: Math.max(0, now - answeredAt) };
  // Answered, and nobody was there any more.
  if (!outgoing) return { outcome: 'missed', durationMs: null };
  const others = call === undefined ? [] : othersOf(call, self);
  if (others.length > 0 && others.every(({ state }) => state === 'declined'))
    return { outcome: 'declined', durationMs: null };
  const stillRings = others.length === 0 || others.some(({ state }) => state === 'ringing');
  return { outcome: hungUp && stillRings ? 'cancelled' : 'unanswered', durationMs: null };
}

/** How a ring ended that this device did not answer; `state` is this person's own, undefined once the call is gone. */
export function endOfRing(state: ParticipantState | undefined): CallOutcome {
  switch (state) {
    // On another device.
    case 'joined':
    case 'reconnecting':
    case 'left':
      return 'answered';
    case 'declined':
      return 'declined';
    default:
      return 'missed';
  }
}

/** What the caller is told when a call ends before anybody answered. */
export function refusalOf(call: Call | undefined, self: UserId): 'declined' | 'busy' | 'unanswered' {
  const states = call === undefined ? [] : othersOf(call, self).map(({ state }) => state);
  if (states.includes('declined')) return 'declined';
  return states.includes('busy') ? 'busy' : 'unanswered';
}

/**
 * Two people who ring each other at the same moment both mean one call. Both sides see both ids, so both pick the same:
 * the smaller one.
 */
export function winsGlare(mine: CallId, theirs: CallId): boolean {
  return mine < theirs;
}
