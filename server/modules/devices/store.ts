import { sql } from 'kysely';
import type { NewDevice, Prekey, SignedDeviceList, SignedPrekey } from '../../../protocol/devices.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';

/** `reachable`: whether others may write to the account, which they may not to a guest. */
export async function insertList(trx: Trx, userId: UserId, list: SignedDeviceList, reachable: boolean): Promise<void> {
  const { version } = JSON.parse(list.payload) as { version: number };
  await trx
    .insertInto('deviceLists')
    .values({ userId, version, ...list, suspended: reachable ? 0 : 1 })
    .execute();
}

export async function insertDevice(trx: Trx, userId: UserId, device: NewDevice, now: number): Promise<void> {
  const { deviceId, registrationId, identityKey, authenticationKey } = device;
  const keys = { registrationId, identityKey, authenticationKey };
  await trx
    .insertInto('devices')
    .values({ userId, deviceId, ...keys, ...signedPrekeyColumns(device.signedPrekey, now), addedAt: now })
    .execute();
  await insertPrekeys(trx, userId, deviceId, device.prekeys);
}

export async function insertPrekeys(
  trx: Trx,
  userId: UserId,
  deviceId: DeviceId,
  prekeys: readonly Prekey[],
): Promise<void> {
  if (prekeys.length === 0) return;
  await trx
    .insertInto('prekeys')
    .values(prekeys.map(({ keyId, publicKey }) => ({ userId, deviceId, keyId, publicKey })))
    .execute();
}

export function signedPrekeyColumns(prekey: SignedPrekey, now: number) {
  return {
    signedPrekeyId: prekey.keyId,
    signedPrekey: prekey.publicKey,
    signedPrekeySignature: prekey.signature,
    signedPrekeyAt: now,
  };
}

export async function countPrekeys(db: Database | Trx, userId: UserId, deviceId: DeviceId): Promise<number> {
  const row = await db
    .selectFrom('prekeys')
    .select((count) => count.fn.countAll<number>().as('remaining'))
    .where('userId', '=', userId)
    .where('deviceId', '=', deviceId)
    .executeTakeFirstOrThrow();
  return Number(row.remaining);
}

/**
 * Drops all one-time prekeys: an older copy of the database holds some whose private halves are gone. Until devices come
 * and fill them up, first messages use the signed prekey alone. Returns how many there were.
 */
export async function dropPrekeys(trx: Trx): Promise<number> {
  const { numDeletedRows } = await trx.deleteFrom('prekeys').executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Takes the oldest one-time prekey; nobody else gets it, whatever happens at the same time. */
export async function takePrekey(
  trx: Trx,
  kind: Store['kind'],
  userId: UserId,
  deviceId: DeviceId,
): Promise<Prekey | undefined> {
  // PostgreSQL: two takers at once must not wait for the same key, and not both get it.
  const lock = kind === 'postgres' ? sql`for update skip locked` : sql``;
  const { rows } = await sql<Prekey>`
    delete from prekeys where user_id = ${userId} and device_id = ${deviceId} and key_id = (
      select key_id from prekeys where user_id = ${userId} and device_id = ${deviceId} order by key_id limit 1 ${lock}
    ) returning key_id, public_key`.execute(trx);
  return rows[0];
}
