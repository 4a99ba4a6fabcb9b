import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import { type CallState, isIn, memberOf } from './call-state.ts';
import { LIMITS } from './limits.ts';
import { RingMemory } from './ring-memory.ts';

/** What an account may do across calls (limits.ts), decided on the calls that are going on. */
export class CallRules {
  readonly #ongoing: () => readonly CallState[];
  readonly #rings = new RingMemory();
  /** Who is being seated where: that takes a while, and the calls do not show it yet. */
  readonly #seating = new Map<UserId, Set<CallId>>();
  /** Until when each account that flooded has no calls, earliest first. Milliseconds since the epoch. */
  readonly #paused = new Map<UserId, number>();

  constructor(ongoing: () => readonly CallState[]) {
    this.#ongoing = ongoing;
  }

  /** @throws ProtocolError `too_many_calls`, `rate_limited` after a flood, `unavailable` when the server is full */
  admitStart(starter: UserId, now: number): void {
    if (this.#ongoing().length >= LIMITS.callsInTotal.value) {
      throw new ProtocolError('unavailable', 'the server holds no more calls');
    }
    this.#admit(starter, null, now);
  }

  /**
   * Lets an account into a call, which counts from here on. Returns what is to be called once the call itself shows it, or
   * it failed.
   * @throws ProtocolError `too_many_calls` if the account is in as many other calls as it may, `rate_limited` if it
   *   flooded the media server of late
   */
  takeSeat(userId: UserId, callId: CallId, now: number): () => void {
    this.#admit(userId, callId, now);
    const seating = this.#seating.get(userId) ?? new Set();
    this.#seating.set(userId, seating.add(callId));
    return () => {
      seating.delete(callId);
      if (seating.size === 0) this.#seating.delete(userId);
    };
  }

  #admit(userId: UserId, callId: CallId | null, now: number): void {
    const retryAfterMs = (this.#paused.get(userId) ?? 0) - now;
    if (retryAfterMs > 0) {
      throw new ProtocolError('rate_limited', 'this account flooded the media server', { retryAfterMs });
    }
    const others = this.#ongoing().filter((call) => call.callId !== callId && this.#isIn(call, userId));
    if (others.length >= LIMITS.callsPerAccount.value) {
      throw new ProtocolError('too_many_calls', `an account is in at most ${LIMITS.callsPerAccount.value} calls`);
    }
  }

  /**
   * Decides on rings before any of them begins, and counts them.
   * @returns those who are not rung since too many calls ring for them already: they are busy
   * @throws ProtocolError `rung_too_often` if the caller has rung one of them too often of late, or still does
   */
  admitRings(from: UserId, users: readonly UserId[], now: number): ReadonlySet<UserId> {
    const to = [...new Set(users)];
    const busy = new Set<UserId>();
    for (const userId of to) {
      const ringing = this.#ringing(userId);
      const ownRings = ringing.filter((rungBy) => rungBy === from).length;
      if (ownRings >= LIMITS.ringingPerPair.value || !this.#rings.mayRing(from, userId, now)) {
        throw new ProtocolError('rung_too_often', 'one of these people has been rung too often of late');
      }
      if (ringing.length >= LIMITS.ringingPerInvitee.value) busy.add(userId);
    }
    for (const userId of to) this.#rings.rang(from, userId, now);
    return busy;
  }

  /** Keeps an account out of calls for a while. */
  flooded(userId: UserId, now: number): void {
    this.#paused.delete(userId);
    this.#paused.set(userId, now + LIMITS.floodPause.value);
    for (const [other, until] of this.#paused) if (until <= now) this.#paused.delete(other);
  }

  answered(from: UserId, to: UserId): void {
    this.#rings.answered(from, to);
  }

  #isIn(call: CallState, userId: UserId): boolean {
    return isIn(memberOf(call, userId)) || this.#seating.get(userId)?.has(call.callId) === true;
  }

  /** By whom this account is being rung, once for each call. */
  #ringing(userId: UserId): (UserId | null)[] {
    return this.#ongoing().flatMap((call) => {
      const member = memberOf(call, userId);
      return member?.state === 'ringing' ? [member.rungBy] : [];
    });
  }
}
