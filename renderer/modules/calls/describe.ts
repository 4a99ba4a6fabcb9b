import type { Call } from '../../../protocol/calls.ts';
import type { Person } from '../../../protocol/contacts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { isPresent, othersOf, participantOf } from './call-book.ts';
import type { IncomingCall } from './model.ts';

/**
 * In whose conversation a call belongs: that of the person who asked this one, or, for one's own call, that of the
 * first one asked. The starter is somebody else as soon as a participant asks further people.
 */
export function peerOf(call: Call, self: UserId): UserId {
  const others = othersOf(call, self);
  const rungBy = participantOf(call, self)?.rungBy;
  if (others.some(({ userId }) => userId === rungBy)) return rungBy as UserId;
  if (call.startedBy === self || rungBy === null) return others[0]?.userId ?? self;
  // An older server does not say who rings: the starter, unless they are not in the call any more.
  const starter = others.find(({ userId }) => userId === call.startedBy);
  if (starter === undefined || isPresent(starter)) return call.startedBy;
  return others.find(isPresent)?.userId ?? call.startedBy;
}

/** A call as it is offered to this person. */
export function describeCall(call: Call, self: UserId, personOf: (userId: UserId) => Person): IncomingCall {
  const from = peerOf(call, self);
  const others = othersOf(call, self).filter(
    (one) => one.userId !== from && (isPresent(one) || one.state === 'ringing'),
  );
  return {
    callId: call.callId,
    media: call.media,
    from: personOf(from),
    others: others.map(({ userId }) => personOf(userId)),
  };
}
