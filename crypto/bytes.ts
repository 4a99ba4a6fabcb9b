import { fromByteArray, toByteArray } from 'base64-js';
import { CryptoError } from './crypto-error.ts';

/** Bytes that WebCrypto takes: a view of a plain, unshared buffer. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return fromByteArray(bytes);
}

/** Strict: padding required, no white space, one text for the same bytes only. Throws `malformed`. */
export function fromBase64(text: string): Bytes {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new CryptoError('malformed', 'not base64');
  }
  const bytes = toByteArray(text) as Bytes;
  const tail = bytes.byteLength % 3;
  if (tail !== 0 && fromByteArray(bytes.subarray(-tail)) !== text.slice(-4)) {
    throw new CryptoError('malformed', 'not base64: unused bits are set');
  }
  return bytes;
}

/** base64url without padding (RFC 4648 section 5). Throws `malformed`. */
export function fromBase64Url(text: string): Bytes {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  return fromBase64(standard + '='.repeat((4 - (standard.length % 4)) % 4));
}

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Throws `malformed` if the bytes are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new CryptoError('malformed', 'not UTF-8');
  }
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** Compares without telling by its duration where the first difference is. Lengths are not secret. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  let difference = 0;
  for (let i = 0; i < a.byteLength; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Cryptographically random bytes, at most 65,536. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
