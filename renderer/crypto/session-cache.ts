import { fromBase64 } from '../../crypto/bytes.ts';
import type { Bytes } from '../../crypto/bytes.ts';
import type { SessionRecord } from '../../crypto/sessions/session-store.ts';
import type { Profile } from './profile.ts';

/** What is stored of one device of somebody. */
export interface KnownSession {
  readonly record: SessionRecord | undefined;
  readonly identity: Bytes | undefined;
  /** The next send begins a new session. */
  readonly renew: boolean;
}

/** Enough for everybody one writes with; beyond that all are forgotten and read again. */
const LIMIT = 500;

/**
 * Sessions as they are in the database, kept in memory: each message needs one, and reading and opening it costs more than
 * the cipher. Right only because one vault owns the database, and because it learns of changes after their commit.
 */
export class SessionCache {
  readonly #known = new Map<string, KnownSession>();

  async load(profile: Profile, address: string): Promise<KnownSession> {
    const cached = this.#known.get(address);
    if (cached !== undefined) return cached;
    const { db, sealer } = profile;
    const [session, identity] = await Promise.all([db.sessions.get(address), db.identities.get(address)]);
    const record = session && (await sealer.openIntact<SessionRecord>('sessions', address, session.sealed));
    const known = identity && (await sealer.openIntact<string>('identities', address, identity.sealed));
    // A damaged row is as none: a new session begins, with the identity that the verified device list names.
    const loaded: KnownSession = {
      record: record ?? undefined,
      identity: known ? fromBase64(known) : undefined,
      renew: session?.renew ?? false,
    };
    this.set(address, loaded);
    return loaded;
  }

  set(address: string, session: KnownSession): void {
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(address, session);
  }

  clear(): void {
    this.#known.clear();
  }
}
