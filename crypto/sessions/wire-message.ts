import { PreKeyWhisperMessage, WhisperMessage } from '@privacyresearch/libsignal-protocol-protobuf-ts';
import { constantTimeEqual } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { checkPublicKey } from './curve.ts';

/** Version 3 of the message format, as current and as lowest version. */
const VERSION = 0x33;
const MAC_BYTES = 8;
const AES_BLOCK_BYTES = 16;

/** A message of an established session; `bytes` is the whole of it, with version and MAC. */
export interface RatchetMessage {
  readonly bytes: Bytes;
  readonly ephemeralKey: Bytes;
  readonly counter: number;
}

/** A message that also sets up a session. */
export interface PrekeyMessage {
  readonly message: RatchetMessage;
  readonly identityKey: Bytes;
  readonly baseKey: Bytes;
  /** 0 for none. */
  readonly prekeyId: number;
  readonly signedPrekeyId: number;
}

/**
 * Parses what the library would take on trust. Only the one encoding our side writes is accepted, so that no byte
 * that the MAC does not cover can be changed. Throws `malformed`.
 */
export function parseRatchetMessage(bytes: Bytes): RatchetMessage {
  const body = bytes.subarray(1, -MAC_BYTES);
  const message = decode(bytes, body, WhisperMessage);
  checkPublicKey(message.ephemeralKey);
  if (message.ciphertext.byteLength === 0 || message.ciphertext.byteLength % AES_BLOCK_BYTES !== 0) {
    throw new CryptoError('malformed', 'a ciphertext of no whole blocks');
  }
  return { bytes, ephemeralKey: message.ephemeralKey.slice(), counter: message.counter };
}

/** Throws `malformed`. */
export function parsePrekeyMessage(bytes: Bytes): PrekeyMessage {
  const outer = decode(bytes, bytes.subarray(1), PreKeyWhisperMessage);
  checkPublicKey(outer.identityKey);
  checkPublicKey(outer.baseKey);
  // Nothing authenticates a registration id here and nothing needs it: the signed device list says who is who.
  if (outer.registrationId !== 0 || outer.signedPreKeyId === 0) {
    throw new CryptoError('malformed', 'a prekey message with a registration id or without a signed prekey');
  }
  return {
    message: parseRatchetMessage(outer.message.slice()),
    identityKey: outer.identityKey.slice(),
    baseKey: outer.baseKey.slice(),
    prekeyId: outer.preKeyId,
    signedPrekeyId: outer.signedPreKeyId,
  };
}

interface Codec<T> {
  decode(input: Uint8Array): T;
  encode(message: T): { finish(): Uint8Array };
}

function decode<T>(bytes: Bytes, body: Bytes, codec: Codec<T>): T {
  try {
    const message = codec.decode(body);
    if (bytes[0] === VERSION && constantTimeEqual(codec.encode(message).finish(), body)) return message;
  } catch {
    // Whatever the decoder stumbled over, it is the same to the caller.
  }
  throw new CryptoError('malformed', 'not a message of the known format');
}
