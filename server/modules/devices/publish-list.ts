import {
  linked,
  listChanged,
  publishList,
  type DeviceList,
  type ListedDevice,
  type NewDevice,
  type SignedDeviceList,
} from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, SessionId, UserId } from '../../../protocol/ids.ts';
import { once } from '../../store/once.ts';
import type { Trx } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import { requestScopeOf } from '../../ws/replay.ts';
import type { DevicesDeps } from './deps.ts';
import { isSameDevice, readList } from './lists.ts';
import { insertDevice } from './store.ts';

/** What a new list did, to be told once it is committed. */
interface Changes {
  readonly revoked: SessionId[];
  /** Whether any device left the list. */
  removed: boolean;
  readonly linked: { readonly sessionId: SessionId; readonly deviceId: DeviceId }[];
}

export function publishListMethod(deps: DevicesDeps) {
  return register(publishList, {
    permission: 'device',
    limit: { requests: 30, seconds: 60, by: 'account' },
    replay: 'own',
    handle: async ({ list: signed, idempotencyId }, caller) => {
      const { userId } = caller.session;
      const list = readList(signed, userId, deps.now());
      let changes: Changes = { revoked: [], removed: false, linked: [] };
      const key = { scope: requestScopeOf(caller), id: idempotencyId, method: publishList.name };
      const replace = async (trx: Trx) => {
        // A device that is being taken off the list puts none in its place.
        await deps.requireStanding(trx, caller.session);
        changes = await replaceList(deps, trx, userId, signed, list);
        return {};
      };
      // A lost device that has used up what the account may do can still be taken off the list.
      const { repeated } = await once(deps.store, key, deps.now(), replace, 'essential');
      if (!repeated) announce(deps, userId, list.version, changes);
      return {};
    },
  });
}

function announce({ bus, events, devicesGone }: DevicesDeps, userId: UserId, version: number, changes: Changes): void {
  events.toEveryone(listChanged, { userId, version });
  for (const { sessionId, deviceId } of changes.linked) events.toSession(sessionId, linked, { deviceId });
  if (changes.removed) devicesGone();
  // After the answer, since the asking device may have taken itself off the list.
  setImmediate(() => {
    for (const sessionId of changes.revoked) bus.publish('sessionRevoked', { sessionId });
  });
}

async function replaceList(
  deps: DevicesDeps,
  trx: Trx,
  userId: UserId,
  signed: SignedDeviceList,
  list: DeviceList,
): Promise<Changes> {
  await replaceRow(trx, userId, signed, list.version);
  const present = await trx
    .selectFrom('devices')
    .select(['deviceId', 'identityKey', 'authenticationKey'])
    .where('userId', '=', userId)
    .execute();
  const changes: Changes = { revoked: [], removed: false, linked: [] };
  for (const device of list.devices) {
    const known = present.find((row) => row.deviceId === device.deviceId);
    if (!known) changes.linked.push(await link(deps, trx, userId, device));
    else if (!isSameDevice(known, device))
      throw new ProtocolError('device_list_invalid', 'A device’s keys cannot change.');
  }
  for (const { deviceId } of present) {
    if (list.devices.some((device) => device.deviceId === deviceId)) continue;
    changes.removed = true;
    changes.revoked.push(...(await remove(deps, trx, userId, deviceId)));
  }
  return changes;
}

/** Higher version and same key, checked and replaced in one statement: of two lists at once one comes second. */
async function replaceRow(trx: Trx, userId: UserId, signed: SignedDeviceList, version: number): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('deviceLists')
    .set({ version, payload: signed.payload, signature: signed.signature })
    .where('userId', '=', userId)
    .where('accountKey', '=', signed.accountKey)
    .where('version', '<', version)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return;
  const current = await trx
    .selectFrom('deviceLists')
    .select('accountKey')
    .where('userId', '=', userId)
    .executeTakeFirst();
  if (current?.accountKey !== signed.accountKey)
    throw new ProtocolError('device_list_invalid', 'The list is signed by another account key.');
  throw new ProtocolError('device_list_outdated', 'There is a list of this version or a newer one.');
}

async function link(
  deps: DevicesDeps,
  trx: Trx,
  userId: UserId,
  listed: ListedDevice,
): Promise<Changes['linked'][number]> {
  const { deviceId } = listed;
  const request = await trx
    .deleteFrom('linkRequests')
    .where('userId', '=', userId)
    .where('deviceId', '=', deviceId)
    .where('expiresAt', '>', deps.now())
    .returning(['sessionId', 'device'])
    .executeTakeFirst();
  const device = request && (JSON.parse(request.device) as NewDevice);
  if (!request || !device || !isSameDevice(device, listed)) {
    throw new ProtocolError('device_unknown', 'A device on the list has not asked to be linked.');
  }
  // Else the new device would get, or lose, what was for the one before.
  if (await deps.isQueueInUse(trx, userId, deviceId))
    throw new ProtocolError('device_list_invalid', 'A device that had this number is still being removed.');
  await insertDevice(trx, userId, device, deps.now());
  await deps.bindSession(trx, request.sessionId, deviceId);
  return { sessionId: request.sessionId, deviceId };
}

/** What waits for the device is deleted afterwards: it may be much, and everybody would wait for it. */
async function remove(deps: DevicesDeps, trx: Trx, userId: UserId, deviceId: DeviceId): Promise<SessionId[]> {
  const sessions = await deps.deleteDeviceSessions(trx, userId, deviceId);
  // Its prekeys go with it.
  await trx.deleteFrom('devices').where('userId', '=', userId).where('deviceId', '=', deviceId).execute();
  return sessions;
}
