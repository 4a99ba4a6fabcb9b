import { signDeviceList } from '../../../crypto/identity/account-key.ts';
import { linkCode } from '../../../crypto/identity/link-code.ts';
import type { DeviceList, ListedDevice, SignedDeviceList } from '../../../protocol/devices.ts';
import { DeviceList as DeviceListSchema, LIST_RENEWAL_MS, MAX_CLOCK_SKEW_MS } from '../../../protocol/devices.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import { listIn, namesRemoved, pendingList, writeOwnList } from '../own-list.ts';
import { pinList } from '../peers.ts';
import { deviceOf } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { ChatChanges, ListChange, OwnDevices, OwnListChange } from '../vault.ts';
import { holdsAccountKey, loadAccountKey } from './account-key.ts';
import { enqueueHandOvers, noteHandOverDue } from './hand-over.ts';
import { newIdempotencyId } from './sign-up.ts';

/** See `Vault.updateLists`. Lists of people who were not asked about are passed over. */
export async function updateLists(
  profile: Profile,
  input: { readonly lists: readonly SignedDeviceList[]; readonly asked: readonly UserId[] },
): Promise<ChatChanges> {
  const batch = new Batch(profile);
  for (const signed of input.lists) {
    const userId = claimedOwner(signed);
    if (userId !== null && input.asked.includes(userId)) await pinList(profile, batch, userId, signed);
  }
  const changes = await batch.commit();
  if (input.asked.includes(profile.info.userId)) await enqueueHandOvers(profile);
  return changes;
}

/** Whose list it says it is; verifying it is `pinList`'s. */
function claimedOwner(signed: SignedDeviceList): UserId | null {
  try {
    return DeviceListSchema.parse(JSON.parse(signed.payload)).userId;
  } catch {
    return null;
  }
}

/** See `Vault.outdatedLists`. */
export async function outdatedLists(
  profile: Profile,
  known: readonly { readonly userId: UserId; readonly version: number }[],
): Promise<readonly UserId[]> {
  const { peers, doubts } = profile;
  const older = known.filter(
    ({ userId, version }) => doubts.has(userId) || (peers.get(userId)?.list.version ?? version) < version,
  );
  return older.map(({ userId }) => userId);
}

/** See `Vault.ownDevices`. */
export async function ownDevices(profile: Profile): Promise<OwnDevices> {
  const own = profile.peers.get(profile.info.userId);
  const unpublished = pendingList(profile) !== null || namesRemoved(profile);
  return {
    devices: own?.list.devices ?? [],
    canSign: await holdsAccountKey(profile),
    removed: profile.ownList.removed,
    unpublished: unpublished || own?.problem === 'device-list-rolled-back',
  };
}

/** See `Vault.linkCode`. */
export async function ownLinkCode(profile: Profile, device: ListedDevice): Promise<string> {
  const { userId } = profile.info;
  const own = profile.peers.get(userId);
  if (own === undefined) throw new Error('the own device list is not known yet');
  return linkCode({ device, userId, accountKey: own.signed.accountKey });
}

/** See `Vault.changeOwnList`. Rejects on a device that does not hold the account key. */
export async function changeOwnList(profile: Profile, change: OwnListChange): Promise<ListChange> {
  const accountKey = await loadAccountKey(profile);
  const own = profile.peers.get(profile.info.userId);
  if (accountKey === null || own === undefined) throw new Error('this device cannot sign the device list');
  if ('add' in change && (await ownLinkCode(profile, change.add)) !== change.code) {
    throw new Error('the request is not the one whose code was shown');
  }
  const { ownList } = profile;
  // What was signed last, and may have reached the server, is built upon: it must not undo what that one did.
  const base = pendingList(profile) ?? own.list;
  const devices = changed(profile, base.devices, change);
  if ('add' in change) await noteHandOverDue(profile, change.add);
  const removed = 'remove' in change ? [...withoutId(ownList.removed, change.remove), change.remove] : ownList.removed;
  const list: DeviceList = {
    userId: own.list.userId,
    version: Math.max(base.version, ownList.version) + 1,
    issuedAt: profile.now(),
    devices: devices.filter(({ deviceId }) => !removed.includes(deviceId)),
  };
  const signed = { idempotencyId: newIdempotencyId(), list: await signDeviceList(accountKey, list) };
  const batch = new Batch(profile);
  writeOwnList(profile, batch, { version: list.version, removed, pending: signed });
  await batch.commit();
  return signed;
}

/** See `Vault.listToPublish`. */
export async function listToPublish(profile: Profile): Promise<ListChange | null> {
  const own = profile.peers.get(profile.info.userId);
  if (own === undefined) return null;
  if (await holdsAccountKey(profile)) {
    const { pending } = profile.ownList;
    const waiting = pendingList(profile);
    // One that a clock set ahead has dated is taken by nobody.
    if (waiting !== null && !isFromFuture(profile, waiting)) return pending;
    if (waiting !== null || namesRemoved(profile) || isDue(profile, own.list)) {
      return changeOwnList(profile, { renew: true });
    }
  }
  if (own.problem !== 'device-list-rolled-back') return null;
  return { idempotencyId: newIdempotencyId(), list: own.signed };
}

function isFromFuture(profile: Profile, { issuedAt }: DeviceList): boolean {
  return issuedAt > profile.now() + MAX_CLOCK_SKEW_MS;
}

/** A date in the future is a clock that was set back: nobody else may take such a list. */
function isDue(profile: Profile, { issuedAt }: DeviceList): boolean {
  const age = profile.now() - issuedAt;
  return age < 0 || age >= LIST_RENEWAL_MS;
}

/** See `Vault.listPublished`. From then on an older one is refused, as it is of anybody else. */
export async function listPublished(profile: Profile, { list }: ListChange): Promise<void> {
  const batch = new Batch(profile);
  const pinned = profile.peers.get(profile.info.userId);
  // The one that is pinned already: whether the server shows it now is seen when it is fetched.
  if (pinned === undefined || listIn(list).version <= pinned.list.version) return;
  await pinList(profile, batch, profile.info.userId, list);
  await batch.commit();
}

/** See `Vault.listRefused`. */
export async function listRefused(profile: Profile, { idempotencyId }: ListChange): Promise<void> {
  if (profile.ownList.pending?.idempotencyId !== idempotencyId) return;
  const batch = new Batch(profile);
  writeOwnList(profile, batch, { ...profile.ownList, pending: null });
  await batch.commit();
}

function changed(profile: Profile, devices: readonly ListedDevice[], change: OwnListChange): readonly ListedDevice[] {
  if ('renew' in change) return devices;
  if ('add' in change) {
    const { add } = change;
    if (profile.ownList.removed.includes(add.deviceId)) throw new Error('a device with that id was removed');
    const known = devices.find(({ deviceId }) => deviceId === add.deviceId);
    if (known === undefined) return [...devices, add];
    // Added before, and the answer was lost. Other keys under a known id would push a device out unseen.
    if (known.identityKey === add.identityKey && known.authenticationKey === add.authenticationKey) return devices;
    throw new Error('another device has that id');
  }
  if (change.remove === deviceOf(profile).deviceId) throw new Error('a device cannot take itself off the list');
  return devices;
}

function withoutId(ids: readonly DeviceId[], id: DeviceId): readonly DeviceId[] {
  return ids.filter((other) => other !== id);
}
