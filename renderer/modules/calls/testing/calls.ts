import { Call, type Participant, ParticipantId } from '../../../../protocol/calls.ts';
import { CallId, DeviceId, UserId } from '../../../../protocol/ids.ts';
import type { Person } from '../../../../protocol/contacts.ts';

export const uuid = (tail: number): string => `00000000-0000-4000-8000-${String(tail).padStart(12, '0')}`;
export const ADA = UserId.parse(uuid(1));
export const BEN = UserId.parse(uuid(2));
export const CAI = UserId.parse(uuid(3));
export const DEVICE = DeviceId.parse(7);
export const CALL = CallId.parse(uuid(100));

const NAMES = new Map([
  [ADA, 'Ada Byron'],
  [BEN, 'Ben Okafor'],
  [CAI, 'Cai Lin'],
]);

export function personOf(userId: UserId): Person {
  const displayName = NAMES.get(userId) ?? 'Somebody';
  return { userId, displayName, username: displayName.toLowerCase().replaceAll(' ', '.'), role: 'member' };
}

/** A participant's id is made from the person's, so that tests can name it. */
export function participantIdOf(userId: UserId): ParticipantId {
  return ParticipantId.parse(userId.replace(/^0/, '9'));
}

export function participant(userId: UserId, state: Participant['state'], more: Partial<Participant> = {}): Participant {
  const present = state === 'joined' || state === 'reconnecting';
  return {
    participantId: participantIdOf(userId),
    userId,
    state,
    deviceId: present ? DEVICE : null,
    live: [],
    ...more,
  };
}

export function call(revision: number, participants: readonly Participant[], more: Partial<Call> = {}): Call {
  return Call.parse({
    callId: CALL,
    media: 'video',
    startedBy: ADA,
    startedAt: 1000,
    revision,
    participants,
    ...more,
  });
}
