import {
  linkRequested,
  linkRequests,
  MAX_DEVICES,
  requestLink,
  type LinkRequest,
  type NewDevice,
} from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { once } from '../../store/once.ts';
import type { SessionId, UserId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import { requestScopeOf } from '../../ws/replay.ts';
import type { DevicesDeps } from './deps.ts';
import { LIMITS } from './limits.ts';
import { isSameDevice, requirePrekeys } from './lists.ts';

export function requestLinkMethod(deps: DevicesDeps) {
  return register(requestLink, {
    permission: 'account',
    limit: { requests: 20, seconds: 600, by: 'account' },
    replay: 'own',
    handle: async ({ device, idempotencyId }, caller) => {
      const { userId, sessionId, deviceId } = caller.session;
      if (deviceId !== null) throw new ProtocolError('forbidden', 'This session has a device already.');
      requirePrekeys(device.signedPrekey.publicKey, device.prekeys);
      const requestedAt = deps.now();
      const expiresAt = requestedAt + LIMITS.linkRequestTime.value;
      const key = { scope: requestScopeOf(caller), id: idempotencyId, method: requestLink.name };
      const { repeated } = await once(deps.store, key, requestedAt, async (trx) => {
        // What the connection knows of its session may be old.
        const session = await trx
          .selectFrom('sessions')
          .select('deviceId')
          .where('sessionId', '=', sessionId)
          .executeTakeFirst();
        if (!session || session.deviceId !== null)
          throw new ProtocolError('forbidden', 'This session has ended, or has a device already.');
        const devices = await trx.selectFrom('devices').select('deviceId').where('userId', '=', userId).execute();
        if (devices.some((row) => row.deviceId === device.deviceId))
          throw new ProtocolError('device_list_invalid', 'This device id is in use.');
        if (devices.length >= MAX_DEVICES)
          throw new ProtocolError('device_list_invalid', 'The account has as many devices as it may have.');
        await trx
          .deleteFrom('linkRequests')
          .where('userId', '=', userId)
          .where('expiresAt', '<=', requestedAt)
          .execute();
        await refuseChange(trx, userId, sessionId, device);
        await trx.deleteFrom('linkRequests').where('sessionId', '=', sessionId).execute();
        await trx
          .insertInto('linkRequests')
          .values({
            userId,
            deviceId: device.deviceId,
            sessionId,
            device: JSON.stringify(device),
            requestedAt,
            expiresAt,
          })
          .execute();
        return {};
      });
      if (!repeated) deps.events.toUser(userId, linkRequested, { request: shown(device, requestedAt, expiresAt) });
      return {};
    },
  });
}

/** What was asked for under a device id stays as it was: the person may be comparing its code. */
async function refuseChange(trx: Trx, userId: UserId, sessionId: SessionId, device: NewDevice): Promise<void> {
  const open = await trx
    .selectFrom('linkRequests')
    .select(['sessionId', 'device'])
    .where('userId', '=', userId)
    .where('deviceId', '=', device.deviceId)
    .executeTakeFirst();
  if (!open) return;
  if (open.sessionId !== sessionId || !isSameDevice(readDevice(open.device), device))
    throw new ProtocolError('device_list_invalid', 'Another request for this device id is open.');
}

/** As it was stored, perhaps by an earlier version whose rules for names were others. */
function readDevice(text: string): NewDevice {
  return JSON.parse(text) as NewDevice;
}

export function linkRequestsMethod({ store, now }: DevicesDeps) {
  return register(linkRequests, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async (_, { session }) => {
      const rows = await store.db
        .selectFrom('linkRequests')
        .select(['device', 'requestedAt', 'expiresAt'])
        .where('userId', '=', session.userId)
        .where('expiresAt', '>', now())
        .orderBy('requestedAt')
        .execute();
      const requests = rows.map((row) => shown(readDevice(row.device), row.requestedAt, row.expiresAt));
      return { requests };
    },
  });
}

export async function pruneLinkRequests(db: Database, now: number): Promise<void> {
  await db.deleteFrom('linkRequests').where('expiresAt', '<=', now).execute();
}

function shown(device: NewDevice, addedAt: number, expiresAt: number): LinkRequest {
  const { deviceId, identityKey, authenticationKey, name } = device;
  return { deviceId, identityKey, authenticationKey, name, addedAt, expiresAt };
}
