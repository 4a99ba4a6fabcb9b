import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { setCurve } from '@privacyresearch/libsignal-protocol-typescript';
import { HKDF, crypto as primitives } from '@privacyresearch/libsignal-protocol-typescript/lib/internal/crypto.js';
import { CryptoError } from '../crypto-error.ts';
import { webCryptoCurve } from './curve.ts';

/**
 * Puts our primitives under the library, which keeps them in one object of its module: X25519 from WebCrypto instead
 * of asm.js; HMAC-SHA-256 and HKDF from noble, because a message takes some twenty hashes of a few bytes each, and
 * WebCrypto would send every one to another thread and back. AES stays with WebCrypto, which is constant-time.
 * Every file that runs the library takes it from here.
 */
setCurve(webCryptoCurve);

primitives.sign = (key, data) => Promise.resolve(bufferOf(hmac(sha256, new Uint8Array(key), new Uint8Array(data))));

/** RFC 5869, the first three blocks, which is what the library asks for. */
primitives.HKDF = (input, salt, info) => {
  const output = hkdf(sha256, new Uint8Array(input), new Uint8Array(salt), new Uint8Array(info), 96);
  return Promise.resolve([0, 32, 64].map((offset) => bufferOf(output.subarray(offset, offset + 32))));
};

const decrypt = primitives.decrypt.bind(primitives);
/** A peer may send what has a right MAC and a wrong padding: that is a refusal like any other, not a fault of ours. */
primitives.decrypt = (key, data, iv) =>
  decrypt(key, data, iv).catch(() => {
    throw new CryptoError('tampered', 'the ciphertext does not decrypt');
  });

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

export { HKDF };
export { SessionBuilder, SessionCipher, SignalProtocolAddress } from '@privacyresearch/libsignal-protocol-typescript';
