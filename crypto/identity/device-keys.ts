import { PREKEY_BATCH } from '../../protocol/devices.ts';
import type { NewDevice, Prekey, SignedPrekey } from '../../protocol/devices.ts';
import { signInProofText } from '../../protocol/accounts.ts';
import type { DeviceId } from '../../protocol/ids.ts';
import { fromBase64, randomBytes, toBase64, utf8 } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { generateSignalKeyPair, signWithIdentity } from '../sessions/curve.ts';
import type { SignalKeyPair } from '../sessions/session-store.ts';

/** The highest prekey id (24 bits, as Signal's clients use); after it comes 1, since libsignal takes 0 for "none". */
export const MAX_PREKEY_ID = 0xffffff;

/** A key pair as JSON: base64. Secret. */
export interface StoredKeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** A device's lasting secrets as JSON, to be kept sealed (crypto/at-rest.ts). */
export interface DeviceSecrets {
  readonly deviceId: DeviceId;
  readonly registrationId: number;
  /** libsignal identity: 33 and 32 bytes. */
  readonly identity: StoredKeyPair;
  /** Ed25519: 32 bytes raw, and PKCS #8. */
  readonly authentication: StoredKeyPair;
}

/** A one-time prekey as JSON, to be kept sealed until it is used. */
export interface StoredPrekey extends StoredKeyPair {
  readonly keyId: number;
}

/** A signed prekey as JSON, to be kept sealed until `prekeyDuties` says to forget it. */
export interface StoredSignedPrekey extends StoredPrekey {
  readonly signature: string;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
}

export interface GeneratedDevice {
  /** The private half. */
  readonly secrets: DeviceSecrets;
  readonly signedPrekey: StoredSignedPrekey;
  readonly prekeys: readonly StoredPrekey[];
  /** Where the next `generatePrekeys` begins. */
  readonly nextPrekeyId: number;
  /** The public half, as the server takes it. */
  readonly newDevice: NewDevice;
}

/** Makes all keys of a new device: identity, authentication key, signed prekey and 100 one-time prekeys. */
export async function generateDevice(options: {
  readonly deviceId: DeviceId;
  readonly name: string;
  /** The signed prekey's age is counted from here; milliseconds since the Unix epoch. */
  readonly now: number;
}): Promise<GeneratedDevice> {
  const { deviceId, name, now } = options;
  const identity = storeKeyPair(await generateSignalKeyPair());
  const authentication = await generateAuthenticationKey();
  const registrationId = 1 + randomBelow(0x3fff);
  const secrets: DeviceSecrets = { deviceId, registrationId, identity, authentication };
  const signedPrekey = await generateSignedPrekey(secrets, randomPrekeyId(), now);
  const { prekeys, nextPrekeyId } = await generatePrekeys(randomPrekeyId(), PREKEY_BATCH);
  const newDevice: NewDevice = {
    deviceId,
    registrationId,
    identityKey: identity.publicKey,
    authenticationKey: authentication.publicKey,
    name,
    signedPrekey: publicSignedPrekey(signedPrekey),
    prekeys: prekeys.map(publicPrekey),
  };
  return { secrets, signedPrekey, prekeys, nextPrekeyId, newDevice };
}

/** The id after `keyId`: 1 follows the highest, and 0 never occurs. */
export function nextPrekeyId(keyId: number): number {
  return keyId >= MAX_PREKEY_ID ? 1 : keyId + 1;
}

/** Makes `count` one-time prekeys with consecutive ids from `startId`, wrapping to 1. Throws `malformed` on a bad id. */
export async function generatePrekeys(
  startId: number,
  count: number,
): Promise<{ readonly prekeys: readonly StoredPrekey[]; readonly nextPrekeyId: number }> {
  const ids: number[] = [];
  let keyId = checkPrekeyId(startId);
  for (let i = 0; i < count; i++) {
    ids.push(keyId);
    keyId = nextPrekeyId(keyId);
  }
  const pairs = await Promise.all(ids.map(() => generateSignalKeyPair()));
  const prekeys = pairs.map((pair, i) => ({ keyId: ids[i] as number, ...storeKeyPair(pair) }));
  return { prekeys, nextPrekeyId: keyId };
}

/** Makes a signed prekey: X25519, signed by the device's identity with XEdDSA (X3DH specification, section 3.1). */
export async function generateSignedPrekey(
  secrets: DeviceSecrets,
  keyId: number,
  now: number,
): Promise<StoredSignedPrekey> {
  const pair = await generateSignalKeyPair();
  const signature = await signWithIdentity(loadKeyPair(secrets.identity).privateKey, pair.publicKey);
  return { keyId: checkPrekeyId(keyId), ...storeKeyPair(pair), signature: toBase64(signature), createdAt: now };
}

/** Proves a sign-in at the server `origin` with the device's authentication key: base64 of an Ed25519 signature. */
export async function signSignInProof(
  secrets: DeviceSecrets,
  origin: string,
  challenge: string,
  username: string,
): Promise<string> {
  const pkcs8 = fromBase64(secrets.authentication.privateKey);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
  const text = signInProofText(origin, challenge, username, secrets.deviceId);
  return toBase64(new Uint8Array(await crypto.subtle.sign('Ed25519', key, utf8(text))));
}

/** The public half of a stored prekey, as the server takes it. */
export function publicPrekey({ keyId, publicKey }: StoredPrekey): Prekey {
  return { keyId, publicKey };
}

export function publicSignedPrekey({ keyId, publicKey, signature }: StoredSignedPrekey): SignedPrekey {
  return { keyId, publicKey, signature };
}

/** A stored key pair as the session operations take it. Throws `malformed`. */
export function loadKeyPair(stored: StoredKeyPair): SignalKeyPair {
  const pair = { publicKey: fromBase64(stored.publicKey), privateKey: fromBase64(stored.privateKey) };
  if (pair.publicKey.byteLength !== 33 || pair.privateKey.byteLength !== 32) {
    throw new CryptoError('malformed', 'a stored key pair has the wrong length');
  }
  return pair;
}

function storeKeyPair(pair: SignalKeyPair): StoredKeyPair {
  return { publicKey: toBase64(pair.publicKey), privateKey: toBase64(pair.privateKey) };
}

async function generateAuthenticationKey(): Promise<StoredKeyPair> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const [publicKey, privateKey] = await Promise.all([
    crypto.subtle.exportKey('raw', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ]);
  return { publicKey: toBase64(new Uint8Array(publicKey)), privateKey: toBase64(new Uint8Array(privateKey)) };
}

function randomPrekeyId(): number {
  return 1 + randomBelow(MAX_PREKEY_ID);
}

/** Uniform in 0 to `bound` - 1, by rejection; `bound` at most 2^24. */
function randomBelow(bound: number): number {
  const limit = Math.floor(2 ** 24 / bound) * bound;
  for (;;) {
    const [a = 0, b = 0, c = 0] = randomBytes(3);
    const value = (a << 16) | (b << 8) | c;
    if (value < limit) return value % bound;
  }
}

function checkPrekeyId(keyId: number): number {
  if (!Number.isInteger(keyId) || keyId < 1 || keyId > MAX_PREKEY_ID) {
    throw new CryptoError('malformed', 'a prekey id must be a whole number from 1 to 16777215');
  }
  return keyId;
}
