import type { DeviceAddress } from '../../protocol/ids.ts';
import type { Bytes } from '../bytes.ts';

/** An X25519 key pair in libsignal's form: 0x05 and 32 bytes; the private scalar is 32 bytes. */
export interface SignalKeyPair {
  readonly publicKey: Bytes;
  readonly privateKey: Bytes;
}

/** The state of all sessions with one device, as opaque text. Secret: it holds chain keys. */
export type SessionRecord = string;

/**
 * What session operations read. They never write: each returns the writes it wants as `SessionChanges`, which the
 * caller commits in one transaction together with the message they belong to.
 */
export interface SessionStore {
  /** This device's libsignal identity. */
  loadIdentityKeyPair(): Promise<SignalKeyPair>;
  loadSession(address: DeviceAddress): Promise<SessionRecord | undefined>;
  /** One of this device's one-time prekeys. */
  loadPrekey(keyId: number): Promise<SignalKeyPair | undefined>;
  /** One of this device's signed prekeys, the current or a kept old one. */
  loadSignedPrekey(keyId: number): Promise<SignalKeyPair | undefined>;
  /** The identity key (33 bytes) this device trusts for an address: the one saved when the first session began. */
  loadIdentity(address: DeviceAddress): Promise<Bytes | undefined>;
}

/** The writes of one or several session operations. Apply all of them or none. */
export interface SessionChanges {
  readonly sessions: readonly { readonly address: DeviceAddress; readonly record: SessionRecord }[];
  /** Ids of one-time prekeys that were used and must be deleted. */
  readonly removedPrekeys: readonly number[];
  readonly identities: readonly { readonly address: DeviceAddress; readonly identityKey: Bytes }[];
}

/** A storage key for an address: `userId.deviceId`. */
export function addressKey(address: DeviceAddress): string {
  return `${address.userId}.${address.deviceId}`;
}
