import { concat, fromUtf8, randomBytes, utf8 } from './bytes.ts';
import type { Bytes } from './bytes.ts';
import { CryptoError } from './crypto-error.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a sealed record lives. It is authenticated, so that a record cannot be moved to another place. */
export interface RecordPlace {
  readonly table: string;
  readonly key: string;
}

/**
 * Makes the key that seals local records: AES-256-GCM, not extractable, storable in IndexedDB. One key may seal
 * 2^32 records (NIST SP 800-38D section 8.3, random nonces).
 */
export function generateRecordKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

/** Takes a record key from 32 secret bytes, for example from the operating system's keychain. Throws `malformed`. */
export async function importRecordKey(secret: Bytes): Promise<CryptoKey> {
  if (secret.byteLength !== 32) throw new CryptoError('malformed', 'a record key has 32 bytes');
  return crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** Seals a JSON value for local storage: 12 bytes nonce, ciphertext, 16 bytes tag. Throws `malformed` if it is none. */
export async function sealRecord(key: CryptoKey, place: RecordPlace, value: unknown): Promise<Bytes> {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new CryptoError('malformed', 'the record is not a JSON value');
  return sealBytes(key, place, utf8(json));
}

/** Opens what `sealRecord` made. Throws `tampered` if it was altered, moved, or sealed with another key. */
export async function openRecord(key: CryptoKey, place: RecordPlace, sealed: Bytes): Promise<unknown> {
  return JSON.parse(fromUtf8(await openBytes(key, place, sealed)));
}

/** As `sealRecord`, for bytes. */
export async function sealBytes(key: CryptoKey, place: RecordPlace, bytes: Bytes): Promise<Bytes> {
  const iv = randomBytes(NONCE_BYTES);
  const ciphertext = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: placeBytes(place) },
    key,
    bytes,
  );
  return concat(iv, new Uint8Array(ciphertext));
}

/** Opens what `sealBytes` made. Throws `tampered`. */
export async function openBytes(key: CryptoKey, place: RecordPlace, sealed: Bytes): Promise<Bytes> {
  if (sealed.byteLength < NONCE_BYTES + TAG_BYTES) throw new CryptoError('tampered', 'a sealed record is too short');
  const iv = sealed.slice(0, NONCE_BYTES);
  const algorithm = { name: 'AES-GCM', iv, additionalData: placeBytes(place) } as const;
  const plaintext = await crypto.subtle.decrypt(algorithm, key, sealed.slice(NONCE_BYTES)).catch(() => {
    throw new CryptoError('tampered', 'a sealed record does not authenticate');
  });
  return new Uint8Array(plaintext);
}

/** JSON keeps the two parts apart whatever they contain. */
function placeBytes({ table, key }: RecordPlace): Bytes {
  return utf8(JSON.stringify(['teahouse/record/v1', table, key]));
}
