import { signDeviceList } from '../../../crypto/identity/account-key.ts';
import { linkCode } from '../../../crypto/identity/link-code.ts';
import type { DeviceList, ListedDevice, SignedDeviceList } from '../../../protocol/devices.ts';
import { DeviceList as DeviceListSchema, LIST_RENEWAL_MS } from '../../../protocol/devices.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import { pinList } from '../peers.ts';
import { deviceOf } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { ChatChanges, ListChange, OwnListChange } from '../vault.ts';
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

export async function ownDevices(
  profile: Profile,
): Promise<{ readonly devices: readonly ListedDevice[]; readonly canSign: boolean }> {
  const devices = profile.peers.get(profile.info.userId)?.list.devices ?? [];
  return { devices, canSign: await holdsAccountKey(profile) };
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
  if ('add' in change) {
    if ((await ownLinkCode(profile, change.add)) !== change.code) {
      throw new Error('the request is not the one whose code was shown');
    }
    await noteHandOverDue(profile, change.add);
  }
  const list: DeviceList = {
    userId: own.list.userId,
    version: own.list.version + 1,
    issuedAt: profile.now(),
    devices: changed(profile, own.list.devices, change),
  };
  return { idempotencyId: newIdempotencyId(), list: await signDeviceList(accountKey, list) };
}

/** See `Vault.renewOwnList`. */
export async function renewOwnList(profile: Profile): Promise<ListChange | null> {
  const own = profile.peers.get(profile.info.userId);
  if (own === undefined || !(await holdsAccountKey(profile))) return null;
  const age = profile.now() - own.list.issuedAt;
  // A date in the future is a clock that was set back: nobody else may take such a list.
  if (age >= 0 && age < LIST_RENEWAL_MS) return null;
  return changeOwnList(profile, { renew: true });
}

function changed(profile: Profile, devices: readonly ListedDevice[], change: OwnListChange): ListedDevice[] {
  if ('renew' in change) return [...devices];
  if ('add' in change) {
    const { add } = change;
    const known = devices.find(({ deviceId }) => deviceId === add.deviceId);
    if (known === undefined) return [...devices, add];
    // Added before, and the answer was lost. Other keys under a known id would push a device out unseen.
    if (known.identityKey === add.identityKey && known.authenticationKey === add.authenticationKey) return [...devices];
    throw new Error('another device has that id');
  }
  if (change.remove === deviceOf(profile).deviceId) throw new Error('a device cannot take itself off the list');
  return devices.filter(({ deviceId }) => deviceId !== change.remove);
}
