import type { Call, Participant, ParticipantId, Source } from '../../../protocol/calls.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Person } from '../../../protocol/contacts.ts';
import type { RemoteSource } from './call-session.svelte.ts';
import { unique } from '../../ui/unique.ts';
import type { Tile } from './model.ts';

/** One's own side of the call, as it is shown to oneself. */
export interface OwnView {
  readonly person: Person;
  readonly camera: MediaStream | null;
  readonly screen: MediaStream | null;
  readonly muted: boolean;
  readonly reconnecting: boolean;
}

export interface TilesInput {
  /** Undefined until the server has described the call. */
  readonly call: Call | undefined;
  readonly own: OwnView;
  readonly remote: readonly RemoteSource[];
  readonly speaker: ParticipantId | null;
  readonly personOf: (userId: UserId) => Person;
}

/** Everybody who is in the call or still rings, each once, in the order in which they came, oneself last. */
export function buildTiles({ call, own, remote, speaker, personOf }: TilesInput): readonly Tile[] {
  const participants = unique(call?.participants ?? [], ({ userId }) => userId);
  const others = participants.filter(({ userId, state }) => userId !== own.person.userId && isShown(state));
  const self = participants.find(({ userId }) => userId === own.person.userId);
  return [...others.map((one) => remoteTile(one, remote, speaker, personOf)), ownTile(own, self, speaker)];
}

function isShown(state: Participant['state']): boolean {
  return state === 'joined' || state === 'reconnecting' || state === 'ringing';
}

function remoteTile(
  { participantId, userId, state, live }: Participant,
  remote: readonly RemoteSource[],
  speaker: ParticipantId | null,
  personOf: (userId: UserId) => Person,
): Tile {
  const sourceOf = (source: Source) =>
    remote.find((one) => one.participantId === participantId && one.source === source);
  const soundOf = (source: Source) => sourceOf(source)?.stream ?? null;
  // A picture that is held back would stand still: show none.
  const pictureOf = (source: Source) => (sourceOf(source)?.paused === false ? soundOf(source) : null);
  return {
    person: personOf(userId),
    self: false,
    state,
    camera: pictureOf('camera'),
    screen: pictureOf('screen'),
    audio: soundOf('microphone'),
    screenAudio: soundOf('screen-audio'),
    muted: state === 'joined' && !live.includes('microphone'),
    speaking: state === 'joined' && speaker === participantId && live.includes('microphone'),
  };
}

function ownTile(own: OwnView, self: Participant | undefined, speaker: ParticipantId | null): Tile {
  return {
    person: own.person,
    self: true,
    state: own.reconnecting ? 'reconnecting' : 'joined',
    camera: own.camera,
    screen: own.screen,
    audio: null,
    screenAudio: null,
    muted: own.muted,
    speaking: !own.muted && self !== undefined && self.participantId === speaker,
  };
}
