import type { DeviceAddress } from '../../protocol/ids.ts';
import type { Bytes } from '../bytes.ts';
import { addressKey } from './session-store.ts';
import type { SessionChanges, SessionRecord, SessionStore, SignalKeyPair } from './session-store.ts';

type ChangedSession = SessionChanges['sessions'][number];
type ChangedIdentity = SessionChanges['identities'][number];

/**
 * An overlay: reads see the changes staged so far, the store below stays untouched. So several operations build on
 * each other and are committed together by writing `changes()` in one transaction, or dropped by letting it go.
 */
export class StagedStore implements SessionStore {
  readonly #base: SessionStore;
  readonly #sessions = new Map<string, ChangedSession>();
  readonly #identities = new Map<string, ChangedIdentity>();
  readonly #removedPrekeys = new Set<number>();

  constructor(base: SessionStore) {
    this.#base = base;
  }

  stage(changes: SessionChanges): void {
    for (const session of changes.sessions) this.#sessions.set(addressKey(session.address), session);
    for (const identity of changes.identities) this.#identities.set(addressKey(identity.address), identity);
    for (const keyId of changes.removedPrekeys) this.#removedPrekeys.add(keyId);
  }

  /** Everything staged, merged: the last record of each session. */
  changes(): SessionChanges {
    return {
      sessions: [...this.#sessions.values()],
      removedPrekeys: [...this.#removedPrekeys],
      identities: [...this.#identities.values()],
    };
  }

  loadIdentityKeyPair(): Promise<SignalKeyPair> {
    return this.#base.loadIdentityKeyPair();
  }

  async loadSession(address: DeviceAddress): Promise<SessionRecord | undefined> {
    return this.#sessions.get(addressKey(address))?.record ?? (await this.#base.loadSession(address));
  }

  async loadPrekey(keyId: number): Promise<SignalKeyPair | undefined> {
    return this.#removedPrekeys.has(keyId) ? undefined : await this.#base.loadPrekey(keyId);
  }

  loadSignedPrekey(keyId: number): Promise<SignalKeyPair | undefined> {
    return this.#base.loadSignedPrekey(keyId);
  }

  async loadIdentity(address: DeviceAddress): Promise<Bytes | undefined> {
    return this.#identities.get(addressKey(address))?.identityKey ?? (await this.#base.loadIdentity(address));
  }
}
