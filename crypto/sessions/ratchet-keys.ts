import { fromBase64Url, randomBytes, toBase64 } from '../bytes.ts';
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

/** The key pair for the next step of any session. */
let spare: Promise<RatchetKey> | undefined;

/** The key pair of a new sending chain. */
export function takeSpareKey(): Promise<RatchetKey> {
  const taken = spare ?? generate();
  spare = undefined;
  return taken;
}

/** To be called while agreements run on their threads, so that the next step need not wait for its key pair. */
export function makeSpareKey(): void {
  if (spare !== undefined) return;
  spare = generate();
  // Whoever takes it sees the failure; until then it is nobody's.
  spare.catch(() => {});
}

async function generate(): Promise<RatchetKey> {
  const privKey = randomBytes(32).buffer;
  const key = await importPrivate(privKey, true);
  const { x } = await crypto.subtle.exportKey('jwk', key);
  if (x === undefined) throw new CryptoError('malformed', 'a key pair that lacks a half');
  return { pair: { pubKey: signalPublicKey(fromBase64Url(x)).buffer, privKey }, key };
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
