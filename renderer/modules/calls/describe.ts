import type { Call } from '../../../protocol/calls.ts';
import type { Person } from '../../../protocol/contacts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { othersOf } from './call-book.ts';
import type { IncomingCall } from './model.ts';

/** In whose conversation a call belongs: its starter's, or, for one's own, that of the first one asked. */
export function peerOf(call: Call, self: UserId): UserId {
  if (call.startedBy !== self) return call.startedBy;
  return othersOf(call, self)[0]?.userId ?? self;
}

/** A call as it is offered to this person. */
export function describeCall(call: Call, self: UserId, personOf: (userId: UserId) => Person): IncomingCall {
  const from = peerOf(call, self);
  const others = othersOf(call, self).filter(({ userId }) => userId !== from);
  return {
    callId: call.callId,
    media: call.media,
    from: personOf(from),
    others: others.map(({ userId }) => personOf(userId)),
  };
}
