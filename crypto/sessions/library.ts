import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { setCurve, setWebCrypto } from '@privacyresearch/libsignal-protocol-typescript';
import { webCryptoCurve } from './curve.ts';

/**
 * Puts our primitives under the library, which keeps them in a variable of its module: X25519 from WebCrypto instead
 * of asm.js; HMAC-SHA-256 from noble, because a message takes some thirty of them on a few bytes each, and WebCrypto
 * would send every one to another thread and back. AES stays with WebCrypto, which is constant-time.
 * Every file that runs the library imports this one first.
 */

/** A key on its way from the library's `importKey` to its `sign`. */
interface HmacKey {
  readonly hmacKey: Uint8Array;
}

const subtle = {
  async importKey(
    format: 'raw',
    key: ArrayBuffer,
    algorithm: { readonly name: string },
    extractable: boolean,
    usages: readonly WebCryptoUsage[],
  ): Promise<CryptoKey | HmacKey> {
    if (algorithm.name === 'HMAC') return { hmacKey: new Uint8Array(key) };
    return crypto.subtle.importKey(format, key, 'AES-CBC', extractable, usages);
  },
  async sign(_algorithm: unknown, key: HmacKey, data: ArrayBuffer): Promise<ArrayBuffer> {
    return (hmac(sha256, key.hmacKey, new Uint8Array(data)) as Uint8Array<ArrayBuffer>).buffer;
  },
  encrypt: (algorithm: WebCryptoAlgorithm, key: CryptoKey, data: ArrayBuffer) =>
    crypto.subtle.encrypt(algorithm, key, data),
  decrypt: (algorithm: WebCryptoAlgorithm, key: CryptoKey, data: ArrayBuffer) =>
    crypto.subtle.decrypt(algorithm, key, data),
};

setCurve(webCryptoCurve);
setWebCrypto({
  subtle,
  getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array),
} as unknown as Parameters<typeof setWebCrypto>[0]);

export { SessionBuilder, SessionCipher, SignalProtocolAddress } from '@privacyresearch/libsignal-protocol-typescript';
