import { expect, test } from 'vitest';
import type { Tile } from './model.ts';
import { presenceChange, presenceOf } from './presence.ts';
import { ADA, BEN, CAI, personOf } from './testing/calls.ts';

const EMPTY = { camera: null, screen: null, audio: null, screenAudio: null, muted: false, speaking: false };
const tile = (userId: typeof ADA, state: Tile['state'], self = false): Tile => ({
  ...EMPTY,
  person: personOf(userId),
  self,
  state,
});

test('says who came and who went, and nothing of oneself', () => {
  const before = presenceOf([tile(BEN, 'joined'), tile(ADA, 'joined', true)]);
  const after = presenceOf([tile(CAI, 'joined'), tile(ADA, 'joined', true)]);
  expect(presenceChange(before, after)).toEqual({ joined: ['Cai Lin'], left: ['Ben Okafor'] });
});

test('a connection that is being restored is neither', () => {
  const before = presenceOf([tile(BEN, 'joined')]);
  expect(presenceChange(before, presenceOf([tile(BEN, 'reconnecting')]))).toEqual({ joined: [], left: [] });
});

test('who only rings is not there yet', () => {
  expect(presenceOf([tile(BEN, 'ringing')]).size).toBe(0);
});
