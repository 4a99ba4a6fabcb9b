import { AsyncCurve25519Wrapper } from '@privacyresearch/curve25519-typescript';
import { concat, fromBase64Url, randomBytes } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import type { SignalKeyPair } from './session-store.ts';

/** libsignal's mark of an X25519 public key. */
const KEY_TYPE = 0x05;
/** PKCS #8 around a raw X25519 private scalar (RFC 8410 section 7). */
const PKCS8_PREFIX = new Uint8Array([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
]);

const xeddsa = new AsyncCurve25519Wrapper();

/**
 * A new key pair is used again within the same ratchet step, from the very buffer that was given out with it. The
 * map forgets a key with its buffer; nothing keeps either longer than the step.
 */
const importedPrivateKeys = new WeakMap<ArrayBuffer, CryptoKey>();

/** The curve as the library's `setCurve` takes it: raw 32-byte keys in buffers of their own. */
export const webCryptoCurve = {
  async keyPair(privateKey: ArrayBuffer): Promise<{ pubKey: ArrayBuffer; privKey: ArrayBuffer }> {
    const scalar = clamp(new Uint8Array(privateKey)).buffer;
    const key = await importPrivate(scalar, true);
    // Importing computes the public key; its JWK form (RFC 8037) tells it without a second multiplication.
    const { x } = await crypto.subtle.exportKey('jwk', key);
    if (x === undefined) throw new CryptoError('malformed', 'a private key without its public half');
    importedPrivateKeys.set(scalar, key);
    return { pubKey: fromBase64Url(x).buffer, privKey: scalar };
  },
  /** Throws `key_weak` on a public key of low order. */
  async sharedSecret(publicKey: ArrayBuffer, privateKey: ArrayBuffer): Promise<ArrayBuffer> {
    const ours = await (importedPrivateKeys.get(privateKey) ?? importPrivate(privateKey, false));
    return agree(await importPublic(publicKey), ours);
  },
  sign(privateKey: ArrayBuffer, message: ArrayBuffer): Promise<ArrayBuffer> {
    return xeddsa.sign(privateKey, message);
  },
  /** The library's convention: TRUE means that the signature is INVALID. Use `isSignedByIdentity` instead. */
  verify(publicKey: ArrayBuffer, message: ArrayBuffer, signature: ArrayBuffer): Promise<boolean> {
    return xeddsa.verify(publicKey, message, signature);
  },
};

/**
 * X25519 of an imported private and public key. Throws `key_weak` if the public key is of low order: WebCrypto refuses
 * the all-zero result.
 */
export function agree(publicKey: CryptoKey, privateKey: CryptoKey): Promise<ArrayBuffer> {
  return crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, privateKey, 256).catch(() => {
    throw new CryptoError('key_weak', 'an X25519 public key of low order');
  });
}

/** Makes an X25519 key pair in libsignal's form. */
export async function generateSignalKeyPair(): Promise<SignalKeyPair> {
  const pair = await webCryptoCurve.keyPair(randomBytes(32).buffer);
  return {
    publicKey: signalPublicKey(new Uint8Array(pair.pubKey)),
    privateKey: new Uint8Array(pair.privKey),
  };
}

/** A raw public key (32 bytes) in libsignal's form (33). */
export function signalPublicKey(raw: Bytes): Bytes {
  return concat(Uint8Array.of(KEY_TYPE), raw);
}

/** Signs with an identity's X25519 key (XEdDSA). 64 bytes. */
export async function signWithIdentity(privateKey: Bytes, message: Bytes): Promise<Bytes> {
  // The asm.js module below takes buffers and may write to them; it gets copies.
  return new Uint8Array(await xeddsa.sign(privateKey.slice().buffer, message.slice().buffer));
}

/** Whether an identity (33 bytes) made this XEdDSA signature. Throws `malformed` if the key is none. */
export async function isSignedByIdentity(identityKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  checkPublicKey(identityKey);
  if (signature.byteLength !== 64) return false;
  const invalid = await xeddsa.verify(identityKey.slice(1).buffer, message.slice().buffer, signature.slice().buffer);
  return !invalid;
}

/**
 * Throws `malformed` unless these are 0x05 and the canonical 32 bytes of a u-coordinate. X25519 itself would ignore
 * the highest bit and reduce modulo p (RFC 7748 section 5), so that one key could be written in several ways and pass
 * for several keys. Keys of low order are found when they are used: their shared secret is zero.
 */
export function checkPublicKey(publicKey: Uint8Array): void {
  const top = publicKey[32] ?? 0xff;
  const reducible =
    top === 0x7f && (publicKey[1] as number) >= 0xed && publicKey.subarray(2, 32).every((b) => b === 0xff);
  if (publicKey.byteLength !== 33 || publicKey[0] !== KEY_TYPE || top > 0x7f || reducible) {
    throw new CryptoError('malformed', 'not an X25519 public key');
  }
}

function clamp(privateKey: Uint8Array): Bytes {
  const scalar = new Uint8Array(privateKey);
  scalar[0] = (scalar[0] as number) & 248;
  scalar[31] = ((scalar[31] as number) & 127) | 64;
  return scalar;
}

/** Takes a raw public key (32 bytes). */
export function importPublic(publicKey: ArrayBuffer): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', publicKey, 'X25519', false, []);
}

/** Takes a raw private scalar (32 bytes). */
export function importPrivate(scalar: ArrayBuffer, extractable: boolean): Promise<CryptoKey> {
  const pkcs8 = concat(PKCS8_PREFIX, new Uint8Array(scalar));
  return crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', extractable, ['deriveBits']);
}
