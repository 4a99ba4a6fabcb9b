import type { Call, Participant } from '../../../protocol/calls.ts';
import type { CallId, DeviceId, UserId } from '../../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import { remembering } from './remembered.ts';

/** All calls this account has to do with, as far as is known. Immutable; each change makes a new one. */
export interface CallBook {
  readonly calls: ReadonlyMap<CallId, Call>;
  /** Calls that are over, the last of them, so that an update that arrives late does not revive them. */
  readonly ended: ReadonlySet<CallId>;
}

export const EMPTY_BOOK: CallBook = { calls: new Map(), ended: new Set() };

/** Takes in a call as the server described it; one that is older than what is known changes nothing. */
export function withCall(book: CallBook, call: Call): CallBook {
  const known = book.calls.get(call.callId);
  if (book.ended.has(call.callId) || (known !== undefined && known.revision >= call.revision)) return book;
  return { ...book, calls: new Map(book.calls).set(call.callId, call) };
}

export function withEnded(book: CallBook, callId: CallId): CallBook {
  if (book.ended.has(callId)) return book;
  const calls = new Map(book.calls);
  calls.delete(callId);
  return { calls, ended: remembering(book.ended, callId) };
}

/** After missed events: `active` is all there is. A call that is not in it is over for this account. */
export function withActive(book: CallBook, active: readonly Call[]): CallBook {
  const there = new Set(active.map(({ callId }) => callId));
  const gone = [...book.calls.keys()].filter((callId) => !there.has(callId));
  return active.slice(0, LIMITS.knownCalls.value).reduce(withCall, gone.reduce(withEnded, book));
}

/** Without the oldest beyond `LIMITS.knownCalls`; those in `kept` stay. */
export function withinLimit(book: CallBook, kept: readonly (CallId | undefined)[]): CallBook {
  const tooMany = book.calls.size - LIMITS.knownCalls.value;
  if (tooMany <= 0) return book;
  const forgotten = new Set([...book.calls.keys()].filter((callId) => !kept.includes(callId)).slice(0, tooMany));
  return { ...book, calls: new Map([...book.calls].filter(([callId]) => !forgotten.has(callId))) };
}

/** The calls that ring for this account. */
export function ringingCalls(book: CallBook, self: UserId): readonly Call[] {
  return [...book.calls.values()].filter((call) => participantOf(call, self)?.state === 'ringing');
}

export function participantOf(call: Call, userId: UserId): Participant | undefined {
  return call.participants.find((participant) => participant.userId === userId);
}

/** In the call now, or about to be back. */
export function isPresent({ state }: Participant): boolean {
  return state === 'joined' || state === 'reconnecting';
}

export function othersOf(call: Call, self: UserId): readonly Participant[] {
  return call.participants.filter(({ userId }) => userId !== self);
}

/** Calls that go on without this person, who was in them or asked to them. */
export function rejoinableCalls(book: CallBook, self: UserId, current: CallId | null): readonly Call[] {
  return [...book.calls.values()].filter((call) => {
    const own = participantOf(call, self);
    const away = own !== undefined && own.state !== 'joined' && own.state !== 'ringing';
    return call.callId !== current && away && othersOf(call, self).some(isPresent);
  });
}

/** Whether this account is in the call with another of its devices. */
export function isOnOtherDevice(call: Call, self: UserId, device: DeviceId): boolean {
  const own = participantOf(call, self);
  return own !== undefined && isPresent(own) && own.deviceId !== null && own.deviceId !== device;
}
