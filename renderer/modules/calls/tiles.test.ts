import { describe, expect, test } from 'vitest';
import type { RemoteSource } from './call-session.svelte.ts';
import { ADA, BEN, CAI, call, participant, participantIdOf, personOf } from './testing/calls.ts';
import { buildTiles } from './tiles.ts';

const OWN = { person: personOf(ADA), camera: null, screen: null, muted: false, reconnecting: false };
const stream = (name: string) => ({ name }) as unknown as MediaStream;

function remote(source: RemoteSource['source'], paused = false): RemoteSource {
  const consumerId = `consumer-${source}`;
  return {
    consumerId,
    producerId: source,
    participantId: participantIdOf(BEN),
    source,
    stream: stream(source),
    paused,
  };
}

function tiles(benLive: RemoteSource['source'][], sources: RemoteSource[], speaker: typeof BEN | null = null) {
  const people = [
    participant(ADA, 'joined'),
    participant(BEN, 'joined', { live: benLive }),
    participant(CAI, 'declined'),
  ];
  return buildTiles({
    call: call(1, people),
    own: OWN,
    remote: sources,
    speaker: speaker && participantIdOf(speaker),
    personOf,
  });
}

describe('tiles', () => {
  test('everybody who is there or rings, oneself last', () => {
    expect(tiles([], []).map(({ person, self }) => [person.userId, self])).toEqual([
      [BEN, false],
      [ADA, true],
    ]);
  });

  test('each source has its place', () => {
    const [ben] = tiles(
      ['microphone'],
      [remote('camera'), remote('screen'), remote('microphone'), remote('screen-audio')],
    );
    expect(ben).toMatchObject({
      camera: stream('camera'),
      screen: stream('screen'),
      audio: stream('microphone'),
      screenAudio: stream('screen-audio'),
      muted: false,
    });
  });

  test('a picture that is held back is not shown; a voice that is held back stays connected, and says muted', () => {
    const [ben] = tiles([], [remote('camera', true), remote('microphone', true)]);
    expect(ben).toMatchObject({ camera: null, audio: stream('microphone'), muted: true });
  });

  test('who speaks is marked, unless muted', () => {
    expect(tiles(['microphone'], [], BEN)[0]?.speaking).toBe(true);
    expect(tiles([], [], BEN)[0]?.speaking).toBe(false);
    expect(tiles([], [], ADA)[1]?.speaking).toBe(true);
  });

  test('somebody whom the server names twice has one tile', () => {
    const people = [participant(ADA, 'joined'), participant(BEN, 'joined'), participant(BEN, 'ringing')];
    const shown = buildTiles({ call: call(1, people), own: OWN, remote: [], speaker: null, personOf });
    expect(shown.map(({ person, state }) => [person.userId, state])).toEqual([
      [BEN, 'joined'],
      [ADA, 'joined'],
    ]);
  });

  test('before the server has described the call there is oneself', () => {
    const alone = buildTiles({ call: undefined, own: OWN, remote: [], speaker: null, personOf });
    expect(alone.map(({ self }) => self)).toEqual([true]);
  });
});
