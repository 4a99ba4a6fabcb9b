import { verifyDeviceList } from '../../crypto/identity/account-key.ts';
import { CryptoError } from '../../crypto/crypto-error.ts';
import type { SignedDeviceList } from '../../protocol/devices.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { Batch } from './batch.ts';
import type { Peer, Profile } from './profile.ts';
import type { TrustProblem } from './vault.ts';

/** What a refused list tells of who showed it. A list that is merely broken says nothing and is passed over. */
function problemOf(error: CryptoError): TrustProblem | null {
  if (error.code === 'account_key_changed') return 'account-key-changed';
  return error.code === 'list_outdated' || error.code === 'list_conflict' ? 'device-list-rolled-back' : null;
}

/**
 * Verifies a list against what is pinned of that person and pins it: the account key is trusted at first use and never
 * again another one, the version never falls. A contradiction is kept as the person's `problem`, and what was pinned
 * stays; a later list that fits clears a roll-back (the server was restored from a backup, and has caught up).
 */
export async function pinList(profile: Profile, batch: Batch, userId: UserId, signed: SignedDeviceList): Promise<void> {
  const known = profile.peers.get(userId);
  try {
    const list = await verifyDeviceList(signed, { userId, known: known?.signed });
    if (known?.signed.payload === signed.payload && known.problem === null) return;
    await putPeer(profile, batch, userId, { signed, list, problem: null });
  } catch (error) {
    if (!CryptoError.is(error)) throw error;
    const problem = problemOf(error);
    if (known === undefined || problem === null) return;
    await putPeer(profile, batch, userId, { ...known, problem });
  }
}

/** The map in memory changes together with the database, or not at all. */
export async function putPeer(profile: Profile, batch: Batch, userId: UserId, peer: Peer): Promise<void> {
  const sealed = await profile.sealer.seal('peers', userId, peer);
  batch.write((db) => db.peers.put({ userId, sealed }));
  batch.afterCommit(() => profile.peers.set(userId, peer));
  batch.touch(userId);
}
