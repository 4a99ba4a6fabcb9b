import { DeviceList } from '../../protocol/devices.ts';
import type { SignedDeviceList } from '../../protocol/devices.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { Batch } from './batch.ts';
import { LIMITS } from './limits.ts';
import { readIntactSecret, sealSecret } from './profile.ts';
import type { OwnListRecord, Profile } from './profile.ts';

export const NOTHING_SIGNED: OwnListRecord = { version: 0, removed: [], pending: null };

/** The record as stored. One that is damaged counts as none: the pinned list still says which version comes next. */
export async function readOwnList(profile: Profile): Promise<OwnListRecord> {
  return (await readIntactSecret<OwnListRecord>(profile, 'own-list')) ?? NOTHING_SIGNED;
}

/** Adds the writing of the record to the batch; memory follows once it is durable. */
export function writeOwnList(profile: Profile, batch: Batch, record: OwnListRecord): void {
  const removed = record.removed.slice(-LIMITS.removedDevices.value);
  const kept = { ...record, removed };
  batch.write(sealSecret(profile, 'own-list', kept).then((row) => (db) => db.secrets.put(row)));
  batch.afterCommit(() => {
    profile.ownList = kept;
    const { userId } = profile.info;
    const own = profile.peers.get(userId);
    if (own !== undefined) profile.peers.set(userId, { ...own, list: withoutRemoved(profile, userId, own.list) });
  });
}

/** A list as it is used here: of the own account without the devices that were removed, whatever the server goes on showing. */
export function withoutRemoved({ info, ownList }: Profile, userId: UserId, list: DeviceList): DeviceList {
  if (userId !== info.userId || ownList.removed.length === 0) return list;
  return { ...list, devices: list.devices.filter(({ deviceId }) => !ownList.removed.includes(deviceId)) };
}

/** Whether the pinned own list, as it was signed, names a device that was removed. */
export function namesRemoved({ info, ownList, peers }: Profile): boolean {
  const own = peers.get(info.userId);
  if (own === undefined || ownList.removed.length === 0) return false;
  return listIn(own.signed).devices.some(({ deviceId }) => ownList.removed.includes(deviceId));
}

/** What this device has signed, and is not known to be published; null for nothing. */
export function pendingList({ info, ownList, peers }: Profile): DeviceList | null {
  if (ownList.pending === null) return null;
  const list = listIn(ownList.pending.list);
  return list.version > (peers.get(info.userId)?.list.version ?? 0) ? list : null;
}

/** Of a list that was verified, or signed here. */
export function listIn({ payload }: SignedDeviceList): DeviceList {
  return DeviceList.parse(JSON.parse(payload));
}
