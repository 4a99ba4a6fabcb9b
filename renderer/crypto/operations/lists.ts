import { fromBase64 } from '../../../crypto/bytes.ts';
import { importAccountKey, signDeviceList } from '../../../crypto/identity/account-key.ts';
import type { DeviceList, ListedDevice, SignedDeviceList } from '../../../protocol/devices.ts';
import { DeviceList as DeviceListSchema } from '../../../protocol/devices.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import { pinList } from '../peers.ts';
import { deviceOf, readSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { ChatChanges, ListChange } from '../vault.ts';
import { newIdempotencyId } from './sign-up.ts';
import type { StoredAccountKey } from './sign-up.ts';

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
  return batch.commit();
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
  const older = known.filter(({ userId, version }) => (profile.peers.get(userId)?.list.version ?? version) < version);
  return older.map(({ userId }) => userId);
}

export async function ownDevices(
  profile: Profile,
): Promise<{ readonly devices: readonly ListedDevice[]; readonly canSign: boolean }> {
  const devices = profile.peers.get(profile.info.userId)?.list.devices ?? [];
  return { devices, canSign: (await profile.db.secrets.get('account')) !== undefined };
}

/** See `Vault.changeOwnList`. Rejects on a device that does not hold the account key. */
export async function changeOwnList(
  profile: Profile,
  change: { readonly add: ListedDevice } | { readonly remove: DeviceId },
): Promise<ListChange> {
  const stored = await readSecret<StoredAccountKey>(profile, 'account');
  const own = profile.peers.get(profile.info.userId);
  if (stored === null || own === undefined) throw new Error('this device cannot sign the device list');
  const accountKey = await importAccountKey(fromBase64(stored.privateKey), fromBase64(stored.publicKey));
  const list: DeviceList = {
    userId: own.list.userId,
    version: own.list.version + 1,
    issuedAt: profile.now(),
    devices: changed(profile, own.list.devices, change),
  };
  return { idempotencyId: newIdempotencyId(), list: await signDeviceList(accountKey, list) };
}

function changed(
  profile: Profile,
  devices: readonly ListedDevice[],
  change: { readonly add: ListedDevice } | { readonly remove: DeviceId },
): ListedDevice[] {
  if ('add' in change) {
    const { add } = change;
    const known = devices.find(({ deviceId }) => deviceId === add.deviceId);
    if (known === undefined) return [...devices, add];
    // Added before, and the answer was lost. Other keys under a known id would push a device out unseen.
    if (known.identityKey === add.identityKey) return [...devices];
    throw new Error('another device has that id');
  }
  if (change.remove === deviceOf(profile).deviceId) throw new Error('a device cannot take itself off the list');
  return devices.filter(({ deviceId }) => deviceId !== change.remove);
}
