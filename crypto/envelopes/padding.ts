import { MAX_PAYLOAD_BYTES } from '../../protocol/chat.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';

/** Nonce and tag of AES-256-GCM. */
export const SEAL_OVERHEAD_BYTES = 28;
const SMALLEST_BUCKET_BYTES = 256;
const LARGEST_BUCKET_BYTES = MAX_PAYLOAD_BYTES - SEAL_OVERHEAD_BYTES;
const MARK = 0x80;

/**
 * Pads to 256 bytes, or the next power of two, so that the ciphertext tells the server no more about the length than
 * which of nine buckets it is in; nearly all messages and every receipt look alike. One byte 0x80 and zeros follow
 * the plaintext (ISO/IEC 7816-4). Throws `too_large`.
 */
export function pad(plaintext: Uint8Array): Bytes {
  if (plaintext.byteLength + 1 > LARGEST_BUCKET_BYTES) {
    throw new CryptoError('too_large', 'the content does not fit into one message');
  }
  let bucket = SMALLEST_BUCKET_BYTES;
  while (bucket < plaintext.byteLength + 1) bucket *= 2;
  const padded = new Uint8Array(Math.min(bucket, LARGEST_BUCKET_BYTES));
  padded.set(plaintext);
  padded[plaintext.byteLength] = MARK;
  return padded;
}

/** Throws `malformed`. Only for bytes that were authenticated: its errors tell about the plaintext. */
export function unpad(padded: Bytes): Bytes {
  let end = padded.byteLength - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== MARK) throw new CryptoError('malformed', 'the padding is not as it must be');
  return padded.subarray(0, end);
}
