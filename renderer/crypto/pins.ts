import type { UserId } from '../../protocol/ids.ts';
import type { ProfileDatabase } from '../db/profile-database.ts';
import type { Pin, Profile } from './profile.ts';

/** What is pinned of a person besides a device list; null for nothing. */
export async function readPin(profile: Profile, userId: UserId): Promise<Pin | null> {
  return (await readPins(profile, [userId])).get(userId) ?? null;
}

export async function readPins({ db, sealer }: Profile, users: readonly UserId[]): Promise<ReadonlyMap<UserId, Pin>> {
  const rows = (await db.pins.bulkGet([...users])).filter((row) => row !== undefined);
  const pins = rows.map(async ({ userId, sealed }) => {
    const pin = await sealer.openIntact<Pin>('pins', userId, sealed);
    return [userId, pin ?? DAMAGED] as const;
  });
  return new Map(await Promise.all(pins));
}

const DAMAGED: Pin = { accountKey: null, listVersion: 0, name: null, damaged: true };

/** Whether there was something pinned of that person that cannot be read any more. */
export function isDamaged({ damaged }: Profile, userId: UserId, pin: Pin | null): boolean {
  return damaged.has(userId) || pin?.damaged === true;
}

/** Seals pins now; the result writes them, in a transaction. */
export async function pinWrite(
  { sealer }: Profile,
  pins: ReadonlyMap<UserId, Pin>,
): Promise<(db: ProfileDatabase) => PromiseLike<unknown>> {
  const rows = await Promise.all(
    [...pins].map(async ([userId, pin]) => ({ userId, sealed: await sealer.seal('pins', userId, pin) })),
  );
  return (db) => db.pins.bulkPut(rows);
}
