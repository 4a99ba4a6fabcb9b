import { expect, it } from 'vitest';
import { codeOf } from '../testing/party.ts';
import {
  MAX_ARCHIVED_SESSIONS,
  MAX_RETIRED_BASE_KEYS,
  MAX_SKIPPED_KEYS,
  parseSessions,
  serialiseSessions,
  withOpen,
} from './session-state.ts';
import type { Session, SessionState } from './session-state.ts';

function session(baseKey: string, chains: readonly number[] = [], theirs = true): Session {
  const state: SessionState = {
    indexInfo: { closed: -1, remoteIdentityKey: 'identity', baseKey, baseKeyType: 2 },
    currentRatchet: {
      rootKey: 'root',
      lastRemoteEphemeralKey: `${chains.length - 1}`.padStart(4, 'k'),
      previousCounter: 0,
    },
    oldRatchetList: chains.slice(1).map((_, i) => ({ ephemeralKey: `${i}`.padStart(4, 'k'), added: 0 })),
    chains: Object.fromEntries(
      chains.map((skipped, i) => [
        `${i}`.padStart(4, 'k'),
        {
          chainType: 2,
          chainKey: { counter: skipped, key: 'chain' },
          messageKeys: Object.fromEntries(Array.from({ length: skipped }, (_, counter) => [counter, 'key'])),
        },
      ]),
    ),
  };
  return theirs ? { state, origin: { prekeyId: 0, signedPrekeyId: 1 } } : { state };
}

it('keeps 2,000 skipped keys in all, the newest', () => {
  const open = session('open', [1500, 900]);
  const archived = [session('old', [10])];
  const { open: kept, archived: rest } = parseSessions(serialiseSessions({ open, archived, retiredBaseKeys: [] }));
  const counters = (one: Session, chain: string) => Object.keys(one.state.chains[chain]!.messageKeys).map(Number);
  expect(counters(kept!, 'kkk1')).toHaveLength(900);
  expect(counters(kept!, 'kkk0')).toEqual(Array.from({ length: MAX_SKIPPED_KEYS - 900 }, (_, i) => 400 + i));
  expect(counters(rest[0]!, 'kkk0')).toEqual([]);
});

it('keeps five receiver chains', () => {
  const { open } = parseSessions(
    serialiseSessions({ open: session('a', [1, 1, 1, 1, 1, 1, 1, 1]), archived: [], retiredBaseKeys: [] }),
  );
  expect(Object.keys(open!.state.chains)).toEqual(['kkk3', 'kkk4', 'kkk5', 'kkk6', 'kkk7']);
  expect(open!.state.oldRatchetList).toHaveLength(4);
});

it('drops the oldest sessions and remembers the base keys of those the other side began', () => {
  const archived = Array.from({ length: MAX_ARCHIVED_SESSIONS + 4 }, (_, i) => session(`base ${i}`, [], i % 2 === 0));
  const retiredBaseKeys = Array.from({ length: MAX_RETIRED_BASE_KEYS }, (_, i) => `retired ${i}`);
  const sessions = parseSessions(serialiseSessions({ open: null, archived, retiredBaseKeys }));
  expect(sessions.archived).toHaveLength(MAX_ARCHIVED_SESSIONS);
  expect(sessions.retiredBaseKeys).toHaveLength(MAX_RETIRED_BASE_KEYS);
  expect(sessions.retiredBaseKeys.slice(0, 3)).toEqual(['base 10', 'base 12', 'retired 0']);
});

it('puts the session that was open first among the archived', () => {
  const [a, b, c] = [session('a'), session('b'), session('c')];
  const sessions = withOpen({ open: a, archived: [b], retiredBaseKeys: [] }, c);
  expect([sessions.open, ...sessions.archived]).toEqual([c, a, b]);
  const promoted = withOpen(sessions, { ...b }, b);
  expect([promoted.open, ...promoted.archived]).toEqual([b, c, a]);
});

it('refuses a record of an unknown version', async () => {
  expect(await codeOf(Promise.resolve('{"version":2}').then(parseSessions))).toBe('malformed');
  expect(parseSessions(undefined).open).toBeNull();
});
