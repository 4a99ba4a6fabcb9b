import { verifyDeviceList } from '../../crypto/identity/account-key.ts';
import { fromBase64, toBase64 } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/crypto-error.ts';
import type { SignedDeviceList } from '../../protocol/devices.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { Batch } from './batch.ts';
import { pendingList, withoutRemoved, writeOwnList } from './own-list.ts';
import { loadAccountKey } from './operations/account-key.ts';
import { isDamaged, readPin } from './pins.ts';
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
 * Before another device of the account has handed over what it has pinned, nobody else's key is trusted at first use;
 * nor is that of a person whose pinned list is damaged, unless their account key is pinned besides.
 */
export async function pinList(profile: Profile, batch: Batch, userId: UserId, signed: SignedDeviceList): Promise<void> {
  const known = profile.peers.get(userId);
  if (known === undefined && userId !== profile.info.userId && profile.info.phase !== 'ready') return;
  const pin = await readPin(profile, userId);
  const damaged = known === undefined && isDamaged(profile, userId, pin);
  const accountKey = pin?.accountKey ?? (damaged ? await ownAccountKey(profile, userId) : null);
  if (damaged && accountKey === null) {
    doubt(profile, batch, userId, 'keys-damaged');
    return;
  }
  try {
    const list = await verifyDeviceList(signed, {
      userId,
      known: known?.signed,
      pinnedAccountKey: accountKey === null ? undefined : fromBase64(accountKey),
      minimumVersion: Math.max(1, pin?.listVersion ?? 1),
      now: profile.now(),
    });
    if (known?.signed.payload === signed.payload && known.problem === null) return;
    await putPeer(profile, batch, userId, { signed, list, problem: null });
    if (userId === profile.info.userId) settle(profile, batch, list.version);
  } catch (error) {
    if (!CryptoError.is(error)) throw error;
    profile.lookUps.setEarly(userId, error.code === 'list_from_future');
    const problem = problemOf(error);
    if (problem === null) return;
    if (known !== undefined) await putPeer(profile, batch, userId, { ...known, problem });
    else doubt(profile, batch, userId, problem);
  }
}

/** A list of the own account that is as new as what was signed here: nothing waits to be published any more. */
function settle(profile: Profile, batch: Batch, version: number): void {
  const pending = pendingList(profile);
  if (pending === null || pending.version > version) return;
  writeOwnList(profile, batch, { ...profile.ownList, pending: null });
}

/** There is no list that could be kept, but nothing is to be exchanged either. */
function doubt(profile: Profile, batch: Batch, userId: UserId, problem: TrustProblem): void {
  profile.doubts.set(userId, problem);
  batch.touch(userId);
}

/** Of the own account, on the device that holds it, base64; null of anybody else. */
async function ownAccountKey(profile: Profile, userId: UserId): Promise<string | null> {
  if (userId !== profile.info.userId) return null;
  const accountKey = await loadAccountKey(profile);
  return accountKey && toBase64(accountKey.publicKey);
}

/** The map in memory changes together with the database, or not at all. */
export async function putPeer(profile: Profile, batch: Batch, userId: UserId, peer: Peer): Promise<void> {
  const sealed = await profile.sealer.seal('peers', userId, peer);
  batch.write((db) => db.peers.put({ userId, sealed }));
  batch.afterCommit(() => {
    profile.peers.set(userId, { ...peer, list: withoutRemoved(profile, userId, peer.list) });
    profile.doubts.delete(userId);
    profile.damaged.delete(userId);
  });
  batch.touch(userId);
}
