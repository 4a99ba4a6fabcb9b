import type { Bytes } from '../../crypto/bytes.ts';
import { fromBase64, toBase64 } from '../../crypto/bytes.ts';
import { loadKeyPair } from '../../crypto/identity/device-keys.ts';
import type { StoredPrekey, StoredSignedPrekey } from '../../crypto/identity/device-keys.ts';
import { addressKey } from '../../crypto/sessions/session-store.ts';
import type {
  SessionChanges,
  SessionRecord,
  SessionStore,
  SignalKeyPair,
} from '../../crypto/sessions/session-store.ts';
import type { DeviceAddress } from '../../protocol/ids.ts';
import type { ProfileDatabase } from '../db/profile-database.ts';
import { deviceOf } from './profile.ts';
import type { Profile } from './profile.ts';

/** What session operations read, from the open account's database. */
export class SessionRows implements SessionStore {
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  async loadIdentityKeyPair(): Promise<SignalKeyPair> {
    return loadKeyPair(deviceOf(this.#profile).identity);
  }

  async loadRegistrationId(): Promise<number> {
    return deviceOf(this.#profile).registrationId;
  }

  async loadSession(address: DeviceAddress): Promise<SessionRecord | undefined> {
    const { db, sealer } = this.#profile;
    const key = addressKey(address);
    const row = await db.sessions.get(key);
    return row && sealer.open<SessionRecord>('sessions', key, row.sealed);
  }

  async loadPrekey(keyId: number): Promise<SignalKeyPair | undefined> {
    const { db, sealer } = this.#profile;
    const row = await db.prekeys.get(keyId);
    return row && loadKeyPair(await sealer.open<StoredPrekey>('prekeys', keyId, row.sealed));
  }

  async loadSignedPrekey(keyId: number): Promise<SignalKeyPair | undefined> {
    const { db, sealer } = this.#profile;
    const row = await db.signedPrekeys.get(keyId);
    return row && loadKeyPair(await sealer.open<StoredSignedPrekey>('signedPrekeys', keyId, row.sealed));
  }

  async loadIdentity(address: DeviceAddress): Promise<Bytes | undefined> {
    const { db, sealer } = this.#profile;
    const key = addressKey(address);
    const row = await db.identities.get(key);
    return row && fromBase64(await sealer.open<string>('identities', key, row.sealed));
  }
}

/**
 * Seals the changes now and returns their writing, for a transaction. `renew` sets or clears the marks of sessions that
 * the next send is to begin anew; others keep theirs.
 */
export async function sessionWrites(
  { sealer }: Profile,
  changes: SessionChanges,
  renew: ReadonlyMap<string, boolean>,
): Promise<(db: ProfileDatabase) => Promise<unknown>> {
  const sessions = await Promise.all(
    changes.sessions.map(async ({ address, record }) => {
      const key = addressKey(address);
      return { address: key, sealed: await sealer.seal('sessions', key, record) };
    }),
  );
  const identities = await Promise.all(
    changes.identities.map(async ({ address, identityKey }) => {
      const key = addressKey(address);
      return { address: key, sealed: await sealer.seal('identities', key, toBase64(identityKey)) };
    }),
  );
  return async (db) => {
    const before = await db.sessions.bulkGet(sessions.map(({ address }) => address));
    const kept = sessions.map((row, i) => ({ ...row, renew: before[i]?.renew ?? false }));
    await db.sessions.bulkPut(kept);
    for (const [address, flag] of renew) await db.sessions.update(address, { renew: flag });
    await db.identities.bulkPut(identities);
    await db.prekeys.bulkDelete([...changes.removedPrekeys]);
  };
}
