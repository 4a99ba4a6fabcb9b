import { fromBase64Url, toBase64 } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { importPrivate, signalPublicKey } from './curve.ts';
import type { LibrarySession } from './working-copy.ts';

type LibraryKeyPair = NonNullable<LibrarySession['currentRatchet']['ephemeralKeyPair']>;

/** Ratchet keys remembered in imported form. Each is of one session, so this is for as many busy conversations. */
const REMEMBERED = 64;

/**
 * Ratchet keys by their public half. A ratchet key is made in one step and used a last time in the next, where
 * importing its private half again would cost as much as the agreement itself. It is forgotten when it is taken.
 */
const remembered = new Map<string, CryptoKey>();

/** Makes the key pair of a new sending chain. */
export async function generateRatchetKey(): Promise<{ readonly pair: LibraryKeyPair; readonly key: CryptoKey }> {
  const { privateKey: key } = await crypto.subtle.generateKey('X25519', true, ['deriveBits']);
  const { x, d } = await crypto.subtle.exportKey('jwk', key);
  if (x === undefined || d === undefined) throw new CryptoError('malformed', 'a key pair that lacks a half');
  const pair = { pubKey: signalPublicKey(fromBase64Url(x)).buffer, privKey: fromBase64Url(d).buffer };
  remember(toBase64(new Uint8Array(pair.pubKey)), key);
  return { pair, key };
}

/** The private half of a ratchet key for its last use. */
export async function takeRatchetKey({ pubKey, privKey }: LibraryKeyPair): Promise<CryptoKey> {
  const name = toBase64(new Uint8Array(pubKey));
  const key = remembered.get(name);
  remembered.delete(name);
  return key ?? importPrivate(privKey, false);
}

function remember(name: string, key: CryptoKey): void {
  remembered.set(name, key);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= REMEMBERED) break;
    remembered.delete(oldest);
  }
}
