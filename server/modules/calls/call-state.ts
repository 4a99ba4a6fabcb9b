import {
  type Call,
  MAX_MEMBERS,
  MAX_PARTICIPANTS,
  type Participant,
  type ParticipantId,
  type ParticipantState,
  REJOIN_MS,
  RING_MS,
  type Source,
} from '../../../protocol/calls.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, DeviceId, UserId } from '../../../protocol/ids.ts';

/**
 * The life of a call as pure functions: each takes a call and returns the call after it, with `revision` one higher, or
 * the very same object if nothing changed. No clock, no network: time and ids are passed in.
 *
 *   ringing ──join──► joined ◄──join── reconnecting ──deadline──► left
 *      │ ├─decline─► declined | busy      ▲   (connection lost)
 *      │ └─deadline─► missed              │
 *      ▲                                joined ──leave──► left
 *      └──────invited again── declined | busy | missed | left ──join──► joined
 *
 * The starter begins as `reconnecting` (nobody's media is there yet) and has as long to join as the others ring.
 */
export interface CallState {
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly startedBy: UserId;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly revision: number;
  readonly members: readonly Member[];
}

export interface Member {
  readonly participantId: ParticipantId;
  readonly userId: UserId;
  /** The device in the call; null unless joined or reconnecting. */
  readonly deviceId: DeviceId | null;
  readonly state: ParticipantState;
  readonly live: readonly Source[];
  /** When ringing becomes `missed` and reconnecting becomes `left`, by `Clock.now`; null in every other state. */
  readonly deadline: number | null;
  /** Who asked this member last; null for the starter. */
  readonly rungBy: UserId | null;
}

/** Who asks people into a call, and when. */
export interface Asking {
  readonly by: UserId;
  /** Those who are not rung. */
  readonly busy: ReadonlySet<UserId>;
  readonly now: number;
}

export interface Device {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** @throws ProtocolError `invalid_request` if nobody but the starter is invited, `call_full` */
export function startCall(
  options: {
    callId: CallId;
    media: CallMedia;
    starter: Device;
    invited: readonly UserId[];
    /** Those of `invited` who are not rung. */
    busy?: ReadonlySet<UserId>;
    now: number;
    /** Milliseconds since the Unix epoch. */
    startedAt: number;
  },
  newId: () => ParticipantId,
): CallState {
  const { callId, media, starter, busy = NOBODY, now, startedAt } = options;
  const invited = [...new Set(options.invited)].filter((userId) => userId !== starter.userId);
  if (invited.length === 0) {
    throw new ProtocolError('invalid_request', 'nobody to call', {
      issues: [{ path: 'invite', problem: 'must name somebody else' }],
    });
  }
  const first: Member = {
    participantId: newId(),
    userId: starter.userId,
    deviceId: starter.deviceId,
    state: 'reconnecting',
    live: [],
    deadline: now + RING_MS,
    rungBy: null,
  };
  const members = [first, ...invited.map((userId) => asked(userId, newId(), { by: starter.userId, busy, now }))];
  if (members.length > MAX_PARTICIPANTS) throw full();
  return { callId, media, startedBy: starter.userId, startedAt, revision: 1, members };
}

/** Rings people: new ones, and those who declined, missed it or left. @throws ProtocolError `call_full` */
export function invite(
  call: CallState,
  users: readonly UserId[],
  asking: Asking,
  newId: () => ParticipantId,
): CallState {
  const wanted = new Set(users);
  const known = new Set(call.members.map(({ userId }) => userId));
  const members = [
    ...call.members.map((member) =>
      wanted.has(member.userId) && !isPresent(member) ? asked(member.userId, member.participantId, asking) : member,
    ),
    ...[...wanted].filter((userId) => !known.has(userId)).map((userId) => asked(userId, newId(), asking)),
  ];
  const changed = members.some((member, index) => member !== call.members[index]);
  if (!changed) return call;
  if (members.filter(isPresent).length > MAX_PARTICIPANTS || members.length > MAX_MEMBERS) throw full();
  return { ...call, revision: call.revision + 1, members };
}

/** Puts a member in the call on this device, wherever they were before. @throws ProtocolError `call_unknown`, `call_full` */
export function join(call: CallState, { userId, deviceId }: Device): CallState {
  const member = memberOf(call, userId);
  if (member === undefined) throw new ProtocolError('call_unknown', 'no such call');
  if (!isPresent(member) && call.members.filter(isPresent).length >= MAX_PARTICIPANTS) throw full();
  return change(call, userId, { state: 'joined', deviceId, live: [], deadline: null });
}

/** Only what still rings can be declined; anything else is left alone. */
export function decline(call: CallState, userId: UserId, reason: 'declined' | 'busy'): CallState {
  if (memberOf(call, userId)?.state !== 'ringing') return call;
  return change(call, userId, { state: reason, ...ABSENT });
}

export function leave(call: CallState, userId: UserId): CallState {
  if (!isIn(memberOf(call, userId))) return call;
  return change(call, userId, { state: 'left', ...ABSENT });
}

/** The member's connection (or the media server) went away; the place is kept for a while. */
export function disconnect(call: CallState, userId: UserId, now: number): CallState {
  if (memberOf(call, userId)?.state !== 'joined') return call;
  return change(call, userId, { state: 'reconnecting', live: [], deadline: now + REJOIN_MS });
}

/** Those of `users` whom `invite` would ring. */
export function absentOf(call: CallState, users: readonly UserId[]): UserId[] {
  const present = new Set(call.members.filter(isPresent).map(({ userId }) => userId));
  return users.filter((userId) => !present.has(userId));
}

/**
 * Keeps the place of a member who tries to come back and cannot for want of media. Nothing to see has changed, so the
 * revision stays.
 */
export function keepPlace(call: CallState, userId: UserId, now: number): CallState {
  const deadline = now + REJOIN_MS;
  const keeps = (member: Member) => member.userId === userId && member.state === 'reconnecting';
  return { ...call, members: call.members.map((member) => (keeps(member) ? { ...member, deadline } : member)) };
}

/** Applies every deadline that has come. */
export function expire(call: CallState, now: number): CallState {
  const due = call.members.filter(({ deadline }) => deadline !== null && deadline <= now);
  if (due.length === 0) return call;
  const members = call.members.map((member): Member => {
    if (!due.includes(member)) return member;
    return { ...member, state: member.state === 'ringing' ? 'missed' : 'left', ...ABSENT };
  });
  return { ...call, revision: call.revision + 1, members };
}

/** What a joined member sends and is not pausing. */
export function setLive(call: CallState, userId: UserId, live: readonly Source[]): CallState {
  const member = memberOf(call, userId);
  if (member?.state !== 'joined') return call;
  const same = member.live.length === live.length && live.every((source) => member.live.includes(source));
  return same ? call : change(call, userId, { live: [...live] });
}

/** When `expire` next has something to do. */
export function nextDeadline(call: CallState): number | null {
  const deadlines = call.members.flatMap(({ deadline }) => (deadline === null ? [] : [deadline]));
  return deadlines.length === 0 ? null : Math.min(...deadlines);
}

/**
 * A call is over when nobody is in it any more. One between two is over as soon as either is out of it: there is
 * nobody to wait for.
 */
export function hasEnded(call: CallState): boolean {
  if (!call.members.some(isIn)) return true;
  return call.members.length === 2 && !call.members.every(isPresent);
}

export function memberOf(call: CallState, userId: UserId): Member | undefined {
  return call.members.find((member) => member.userId === userId);
}

export function toWire(call: CallState): Call {
  const { callId, media, startedBy, startedAt, revision, members } = call;
  const participants = members.map(({ participantId, userId, deviceId, state, live, rungBy }): Participant => ({
    participantId,
    userId,
    deviceId,
    state,
    live: [...live],
    rungBy,
  }));
  return { callId, media, startedBy, startedAt, revision, participants };
}

const NOBODY: ReadonlySet<UserId> = new Set();
const ABSENT = { deviceId: null, live: [], deadline: null } as const;

/** In the call, or coming back to it. */
export function isIn(member: Member | undefined): boolean {
  return member?.state === 'joined' || member?.state === 'reconnecting';
}

/** Takes one of the call's places: in it or still being rung. */
function isPresent(member: Member): boolean {
  return isIn(member) || member.state === 'ringing';
}

function asked(userId: UserId, participantId: ParticipantId, { by, busy, now }: Asking): Member {
  const member = { participantId, userId, ...ABSENT, rungBy: by };
  return busy.has(userId) ? { ...member, state: 'busy' } : { ...member, state: 'ringing', deadline: now + RING_MS };
}

function change(call: CallState, userId: UserId, to: Partial<Member>): CallState {
  const members = call.members.map((member) => (member.userId === userId ? { ...member, ...to } : member));
  return { ...call, revision: call.revision + 1, members };
}

function full(): ProtocolError {
  return new ProtocolError('call_full', `a call holds ${MAX_PARTICIPANTS} people`);
}
