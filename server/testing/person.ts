import { generateKeyPairSync, randomBytes, randomInt, randomUUID, sign, type KeyObject } from 'node:crypto';
import { signIn, signInProofText, signUp, type Account } from '../../protocol/accounts.ts';
import { send, type Recipient } from '../../protocol/chat.ts';
import {
  deviceListText,
  type DeviceList,
  type ListedDevice,
  type NewDevice,
  type Prekey,
  type SignedDeviceList,
} from '../../protocol/devices.ts';
import type { DeviceId, IdempotencyId, UserId } from '../../protocol/ids.ts';
import { profileText, type Profile, type SignedProfile } from '../../protocol/profile.ts';
import type { SocketClient } from './socket-client.ts';

export const PASSWORD = 'correct horse battery';

export function newId(): IdempotencyId {
  return randomUUID() as string as IdempotencyId;
}

/** Random bytes in the form of a libsignal public key. The server relays keys and never computes with them. */
export function signalKey(): string {
  return Buffer.concat([Buffer.of(5), randomBytes(32)]).toString('base64');
}

export function prekeys(count: number, first = 1): Prekey[] {
  return Array.from({ length: count }, (_, index) => ({ keyId: first + index, publicKey: signalKey() }));
}

export interface TestDevice {
  readonly public: NewDevice;
  readonly authentication: KeyObject;
}

export function newDevice(prekeyCount = 5): TestDevice {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    authentication: privateKey,
    public: {
      deviceId: randomInt(1, 0x7fffffff) as DeviceId,
      registrationId: randomInt(1, 0x3fff),
      identityKey: signalKey(),
      authenticationKey: rawKey(publicKey),
      name: 'Test device',
      signedPrekey: { keyId: 1, publicKey: signalKey(), signature: randomBytes(64).toString('base64') },
      prekeys: prekeys(prekeyCount),
    },
  };
}

/** An account as its owner holds it: with the private keys. */
export class Person {
  readonly userId = randomUUID() as string as UserId;
  readonly username: string;
  readonly displayName: string;
  readonly device: TestDevice;
  /** The server that proofs are signed for: the one of the sign-up. */
  origin = '';
  readonly #accountKey = generateKeyPairSync('ed25519');

  /** Names are unique in an organisation. */
  constructor(
    displayName = `Ada ${randomBytes(6).toString('hex')}`,
    username = `u${randomBytes(6).toString('hex')}`,
    device = newDevice(),
  ) {
    this.displayName = displayName;
    this.username = username;
    this.device = device;
  }

  list(
    version: number,
    devices: readonly NewDevice[] = [this.device.public],
    change: Partial<DeviceList> = {},
  ): SignedDeviceList {
    const listed: ListedDevice[] = devices.map(({ deviceId, identityKey, authenticationKey, name }) => ({
      deviceId,
      identityKey,
      authenticationKey,
      name,
      addedAt: 1,
    }));
    const payload = JSON.stringify({ userId: this.userId, version, issuedAt: 1, devices: listed, ...change });
    return {
      accountKey: rawKey(this.#accountKey.publicKey),
      payload,
      signature: signature(this.#accountKey.privateKey, deviceListText(payload)),
    };
  }

  profile(version: number, change: Partial<Profile> = {}): SignedProfile {
    const { userId, username, displayName } = this;
    const payload = JSON.stringify({ userId, username, displayName, version, issuedAt: 1, ...change });
    return {
      accountKey: rawKey(this.#accountKey.publicKey),
      payload,
      signature: signature(this.#accountKey.privateKey, profileText(payload)),
    };
  }

  signUpParams(invitation: string) {
    const { userId, username, displayName } = this;
    const shared = { invitation, userId, username, displayName, password: PASSWORD, idempotencyId: newId() };
    return { ...shared, device: this.device.public, deviceList: this.list(1) };
  }

  async signUp(client: SocketClient, invitation: string): Promise<{ session: string; account: Account }> {
    this.origin = client.base;
    return client.request(signUp, this.signUpParams(invitation));
  }

  signInParams(challenge: string | null, device = this.device) {
    const { deviceId } = device.public;
    const proof =
      challenge === null
        ? undefined
        : signature(device.authentication, signInProofText(this.origin, challenge, this.username, deviceId));
    const shared = { username: this.username, password: PASSWORD, idempotencyId: newId() };
    return proof === undefined ? shared : { ...shared, device: { deviceId, proof } };
  }

  async signIn(client: SocketClient, challenge: string | null, device = this.device): Promise<string> {
    return (await client.request(signIn, this.signInParams(challenge, device))).session;
  }

  /** As recipient of a message, with random bytes for keys. */
  recipient(devices: readonly NewDevice[] = [this.device.public]): Recipient {
    const keys = devices.map(({ deviceId }) => ({
      deviceId,
      type: 'message' as const,
      body: randomBytes(60).toString('base64'),
    }));
    return { userId: this.userId, listVersion: 1, keys };
  }
}

/** Sends `payload` (random bytes if not given) to the devices that a person has at first. */
export async function sendTo(
  client: SocketClient,
  to: Person,
  idempotencyId = newId(),
  payload = randomBytes(200).toString('base64'),
) {
  return client.request(send, { idempotencyId, payload, recipients: [to.recipient()] });
}

export function signature(key: KeyObject, text: string): string {
  return sign(null, Buffer.from(text), key).toString('base64');
}

function rawKey(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}
