import { cbc } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { setCurve } from '@privacyresearch/libsignal-protocol-typescript';
import { HKDF, crypto as primitives } from '@privacyresearch/libsignal-protocol-typescript/lib/internal/crypto.js';
import { CryptoError } from '../crypto-error.ts';
import { webCryptoCurve } from './curve.ts';

/**
 * Puts our primitives under the library, which keeps them in one object of its module: X25519 from WebCrypto instead
 * of asm.js; HMAC-SHA-256, HKDF and AES-256-CBC from noble, because a message takes some twenty hashes of a few bytes
 * each and one cipher of a few blocks, and WebCrypto would send every one to another thread and back. noble's AES looks
 * up tables, whose time can tell of the key to who measures it very often; but each of these keys serves one message
 * of a few blocks. Bodies and what is stored are encrypted by WebCrypto. Every file that runs the library takes it
 * from here.
 */
setCurve(webCryptoCurve);

primitives.sign = (key, data) => Promise.resolve(bufferOf(hmac(sha256, new Uint8Array(key), new Uint8Array(data))));

/** RFC 5869, the first three blocks, which is what the library asks for. */
primitives.HKDF = (input, salt, info) => {
  const output = hkdf(sha256, new Uint8Array(input), new Uint8Array(salt), new Uint8Array(info), 96);
  return Promise.resolve([0, 32, 64].map((offset) => bufferOf(output.subarray(offset, offset + 32))));
};

primitives.encrypt = (key, data, iv) =>
  Promise.resolve(bufferOf(cbc(new Uint8Array(key), new Uint8Array(iv)).encrypt(new Uint8Array(data))));

/** A peer may send what has a right MAC and a wrong padding: that is a refusal like any other, not a fault of ours. */
primitives.decrypt = async (key, data, iv) => {
  try {
    return bufferOf(cbc(new Uint8Array(key), new Uint8Array(iv)).decrypt(new Uint8Array(data)));
  } catch {
    throw new CryptoError('tampered', 'the ciphertext does not decrypt');
  }
};

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

export { HKDF };
export { SessionBuilder, SessionCipher, SignalProtocolAddress } from '@privacyresearch/libsignal-protocol-typescript';
