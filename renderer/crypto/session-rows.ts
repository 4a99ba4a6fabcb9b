import type { Bytes } from '../../crypto/bytes.ts';
import { toBase64 } from '../../crypto/bytes.ts';
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
import type { KnownSession } from './session-cache.ts';

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
    return (await this.#profile.sessions.load(this.#profile, addressKey(address))).record;
  }

  async loadIdentity(address: DeviceAddress): Promise<Bytes | undefined> {
    return (await this.#profile.sessions.load(this.#profile, addressKey(address))).identity;
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
}

/** Writes for a transaction, and what is true once it is done. */
export interface SessionWrites {
  readonly write: (db: ProfileDatabase) => Promise<unknown>;
  readonly committed: () => void;
}

/** Seals the changes now, for a transaction. `renew` sets or clears marks; sessions that are not in it keep theirs. */
export async function sessionWrites(
  profile: Profile,
  changes: SessionChanges,
  renew: ReadonlyMap<string, boolean>,
): Promise<SessionWrites> {
  const { sealer, sessions: cache } = profile;
  const news = await mergeChanges(profile, changes, renew);
  const sealedSessions = [...news].map(async ([address, { record, renew: mark }]) => ({
    address,
    sealed: await sealer.seal('sessions', address, record),
    renew: mark,
  }));
  const sealedIdentities = changes.identities.map(async ({ address, identityKey }) => {
    const key = addressKey(address);
    return { address: key, sealed: await sealer.seal('identities', key, toBase64(identityKey)) };
  });
  const [sessions, identities] = await Promise.all([Promise.all(sealedSessions), Promise.all(sealedIdentities)]);
  return {
    write: (db) =>
      Promise.all([
        sessions.length > 0 && db.sessions.bulkPut(sessions),
        identities.length > 0 && db.identities.bulkPut(identities),
        changes.removedPrekeys.length > 0 && db.prekeys.bulkDelete([...changes.removedPrekeys]),
      ]),
    committed: () => {
      for (const [address, session] of news) cache.set(address, session);
    },
  };
}

/** Every session that changes, as it will be. Without a record there is nothing to mark. */
async function mergeChanges(
  profile: Profile,
  changes: SessionChanges,
  renew: ReadonlyMap<string, boolean>,
): Promise<ReadonlyMap<string, KnownSession>> {
  const records = new Map(changes.sessions.map(({ address, record }) => [addressKey(address), record]));
  const identities = new Map(changes.identities.map(({ address, identityKey }) => [addressKey(address), identityKey]));
  const news = new Map<string, KnownSession>();
  for (const address of new Set([...records.keys(), ...identities.keys(), ...renew.keys()])) {
    const known = await profile.sessions.load(profile, address);
    const record = records.get(address) ?? known.record;
    if (record === undefined) continue;
    const identity = identities.get(address) ?? known.identity;
    news.set(address, { record, identity, renew: renew.get(address) ?? known.renew });
  }
  return news;
}
