import type { WrappedKey } from '../../protocol/chat.ts';
import type { DeviceList, ListedDevice, PrekeyBundle } from '../../protocol/devices.ts';
import type { DeviceAddress, DeviceId, UserId } from '../../protocol/ids.ts';
import { fromBase64, fromUtf8, randomBytes, utf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { generateDevice, loadKeyPair } from '../identity/device-keys.ts';
import type { GeneratedDevice } from '../identity/device-keys.ts';
import { decryptFrom } from '../sessions/decrypt.ts';
import { encryptFor } from '../sessions/encrypt.ts';
import { addressKey } from '../sessions/session-store.ts';
import type { SessionChanges, SessionStore, SignalKeyPair } from '../sessions/session-store.ts';
import { startSession } from '../sessions/start-session.ts';

/** A device's storage in memory, for tests and benches. */
export class MemoryStore implements SessionStore {
  readonly sessions = new Map<string, string>();
  readonly identities = new Map<string, Bytes>();
  readonly prekeys: Map<number, SignalKeyPair>;
  readonly signedPrekeys: Map<number, SignalKeyPair>;
  readonly #identity: SignalKeyPair;

  constructor({ secrets, prekeys, signedPrekey }: GeneratedDevice) {
    this.#identity = loadKeyPair(secrets.identity);
    this.prekeys = new Map(prekeys.map((prekey) => [prekey.keyId, loadKeyPair(prekey)]));
    this.signedPrekeys = new Map([[signedPrekey.keyId, loadKeyPair(signedPrekey)]]);
  }

  /** What the worker does in one transaction. */
  apply(changes: SessionChanges): void {
    for (const { address, record } of changes.sessions) this.sessions.set(addressKey(address), record);
    for (const { address, identityKey } of changes.identities) this.identities.set(addressKey(address), identityKey);
    for (const keyId of changes.removedPrekeys) this.prekeys.delete(keyId);
  }

  loadIdentityKeyPair = () => Promise.resolve(this.#identity);
  loadSession = (address: DeviceAddress) => Promise.resolve(this.sessions.get(addressKey(address)));
  loadPrekey = (keyId: number) => Promise.resolve(this.prekeys.get(keyId));
  loadSignedPrekey = (keyId: number) => Promise.resolve(this.signedPrekeys.get(keyId));
  loadIdentity = (address: DeviceAddress) => Promise.resolve(this.identities.get(addressKey(address)));
}

/** One device of one person. */
export interface Party {
  readonly address: DeviceAddress;
  readonly device: GeneratedDevice;
  readonly store: MemoryStore;
  readonly identityKey: Bytes;
}

export async function makeParty(): Promise<Party> {
  const address = { userId: randomUserId(), deviceId: (1 + (randomBytes(1)[0] as number)) as DeviceId };
  const device = await generateDevice({ deviceId: address.deviceId, name: 'Laptop', now: 0 });
  const identityKey = fromBase64(device.newDevice.identityKey);
  return { address, device, store: new MemoryStore(device), identityKey };
}

/** A random UUID, version 4. */
export function randomUserId(): UserId {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') as UserId;
}

/** The bundle a server would give out; `index` chooses the one-time prekey, null leaves it out. */
export function bundleOf({ address, device: { newDevice } }: Party, index: number | null = 0): PrekeyBundle {
  const { registrationId, identityKey, signedPrekey, prekeys } = newDevice;
  const prekey = index === null ? undefined : prekeys[index];
  return { ...address, registrationId, identityKey, signedPrekey, ...(prekey === undefined ? {} : { prekey }) };
}

/** The list that names these devices of one account. */
export function listOf(userId: UserId, ...parties: readonly Party[]): DeviceList {
  return { userId, version: 1, issuedAt: 0, devices: parties.map((party) => listedDevice(party)) };
}

export function listedDevice({ device: { newDevice } }: Party): ListedDevice {
  const { deviceId, identityKey, authenticationKey, name } = newDevice;
  return { deviceId, identityKey, authenticationKey, name, addedAt: 0 };
}

export async function connect(from: Party, to: Party, prekeyIndex: number | null = 0): Promise<void> {
  const bundle = bundleOf(to, prekeyIndex);
  from.store.apply(await startSession(from.store, to.address, bundle, to.identityKey));
}

export async function send(from: Party, to: Party, text: string): Promise<WrappedKey> {
  const { wrapped, changes } = await encryptFor(from.store, to.address, utf8(text), to.identityKey);
  from.store.apply(changes);
  return wrapped;
}

export async function receive(to: Party, from: Party, wrapped: WrappedKey): Promise<string> {
  const { plaintext, changes } = await decryptFrom(to.store, from.address, wrapped, from.identityKey);
  to.store.apply(changes);
  return fromUtf8(plaintext);
}

/** The refusal's code, or what else happened. */
export async function codeOf(operation: Promise<unknown>): Promise<unknown> {
  return operation.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );
}
