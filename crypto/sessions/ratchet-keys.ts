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

export interface RatchetKey {
  readonly pair: LibraryKeyPair;
  readonly key: CryptoKey;
}

/** The key pair for the next step, made while this one is under way, so that no step has to wait for its own. */
let spare: Promise<RatchetKey> | undefined;

/** The key pair of a new sending chain. */
export function newRatchetKey(): Promise<RatchetKey> {
  const ready = spare ?? generate();
  spare = generate();
  // Whoever takes it sees the failure; until then it is nobody's.
  spare.catch(() => {});
  return ready;
}

async function generate(): Promise<RatchetKey> {
  const { privateKey: key } = await crypto.subtle.generateKey('X25519', true, ['deriveBits']);
  const { x, d } = await crypto.subtle.exportKey('jwk', key);
  if (x === undefined || d === undefined) throw new CryptoError('malformed', 'a key pair that lacks a half');
  const pair = { pubKey: signalPublicKey(fromBase64Url(x)).buffer, privKey: fromBase64Url(d).buffer };
  return { pair, key };
}

/** The private half of a ratchet key for its last use. */
export async function takeRatchetKey({ pubKey, privKey }: LibraryKeyPair): Promise<CryptoKey> {
  const name = toBase64(new Uint8Array(pubKey));
  const key = remembered.get(name);
  remembered.delete(name);
  return key ?? importPrivate(privKey, false);
}

/** Keeps the private half for that last use. */
export function rememberRatchetKey({ pair, key }: RatchetKey): void {
  remembered.set(toBase64(new Uint8Array(pair.pubKey)), key);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= REMEMBERED) break;
    remembered.delete(oldest);
  }
}
