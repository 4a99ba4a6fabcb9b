import type { UserId } from '../../../protocol/ids.ts';
import type { Tile } from './model.ts';

/** Who of the others is in the call, by id, with their display names. */
export type Presence = ReadonlyMap<UserId, string>;

export interface PresenceChange {
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/** People whose connection is being restored count as there: they neither leave nor join for that. */
export function presenceOf(tiles: readonly Tile[]): Presence {
  const there = tiles.filter(({ self, state }) => !self && (state === 'joined' || state === 'reconnecting'));
  return new Map(there.map(({ person }) => [person.userId, person.displayName]));
}

export function presenceChange(before: Presence, after: Presence): PresenceChange {
  const missingIn = (from: Presence, than: Presence) =>
    [...from].filter(([id]) => !than.has(id)).map(([, name]) => name);
  return { joined: missingIn(after, before), left: missingIn(before, after) };
}
