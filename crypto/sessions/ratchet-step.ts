import { ChainType } from '@privacyresearch/libsignal-protocol-typescript';
import { toBase64 } from '../bytes.ts';
import { agree, importPublic } from './curve.ts';
import { HKDF } from './library.ts';
import { makeSpareKey, rememberRatchetKey, takeRatchetKey, takeSpareKey } from './ratchet-keys.ts';
import type { LibrarySession } from './working-copy.ts';

type Chain = LibrarySession['chains'][string];

/**
 * The Diffie-Hellman ratchet step (Double Ratchet specification, section 3.5): a receiving chain from the remote
 * ratchet key and our present one, then a sending chain from the same and a new one. As the library's own step, but
 * the two agreements run side by side, and without its clock.
 */
export async function stepRatchet(session: LibrarySession, remoteKey: ArrayBuffer): Promise<void> {
  const { currentRatchet: ratchet, chains } = session;
  const present = ratchet.ephemeralKeyPair;
  if (present === undefined) throw new Error('a session without a ratchet key pair');
  const [remote, ours, next] = await Promise.all([
    importPublic(remoteKey.slice(1)),
    takeRatchetKey(present),
    takeSpareKey(),
  ]);
  const agreements = Promise.all([agree(remote, ours), agree(remote, next.key)]);
  makeSpareKey();
  const [received, sent] = await agreements;
  const [middleRoot, receivingKey] = await deriveChain(received, ratchet.rootKey);
  const [rootKey, sendingKey] = await deriveChain(sent, middleRoot);

  chains[chainName(remoteKey)] = newChain(ChainType.RECEIVING, receivingKey);
  const finished = chains[chainName(present.pubKey)];
  if (finished !== undefined) {
    ratchet.previousCounter = finished.chainKey.counter;
    delete chains[chainName(present.pubKey)];
  }
  rememberRatchetKey(next);
  chains[chainName(next.pair.pubKey)] = newChain(ChainType.SENDING, sendingKey);
  session.currentRatchet = { ...ratchet, rootKey, ephemeralKeyPair: next.pair, lastRemoteEphemeralKey: remoteKey };
}

/** The name under which a session keeps a chain: its ratchet key in base64. */
export function chainName(ratchetKey: ArrayBuffer): string {
  return toBase64(new Uint8Array(ratchetKey));
}

/** KDF_RK (section 7.2): the next root key and a chain key. */
async function deriveChain(secret: ArrayBuffer, rootKey: ArrayBuffer): Promise<readonly [ArrayBuffer, ArrayBuffer]> {
  const [nextRootKey, chainKey] = await HKDF(secret, rootKey, 'WhisperRatchet');
  if (nextRootKey === undefined || chainKey === undefined) throw new Error('HKDF gave too little');
  return [nextRootKey, chainKey];
}

function newChain(chainType: ChainType, key: ArrayBuffer): Chain {
  return { chainType, chainKey: { counter: -1, key }, messageKeys: {} };
}
