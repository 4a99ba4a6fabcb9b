import {
  linkRequested,
  linkRequests,
  MAX_DEVICES,
  NewDevice,
  requestLink,
  type LinkRequest,
} from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { once } from '../../store/once.ts';
import type { Database } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import { scopeOf } from '../../ws/replay.ts';
import type { DevicesDeps } from './deps.ts';
import { requirePrekeys } from './lists.ts';

/** How long a new device waits to be put on the list. Milliseconds. */
const LINK_MS = 10 * 60_000;

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
      const expiresAt = requestedAt + LINK_MS;
      const key = { scope: scopeOf(caller), id: idempotencyId, method: requestLink.name };
      const { repeated } = await once(deps.store, key, requestedAt, async (trx) => {
        const devices = await trx.selectFrom('devices').select('deviceId').where('userId', '=', userId).execute();
        if (devices.some((row) => row.deviceId === device.deviceId))
          throw new ProtocolError('device_list_invalid', 'This device id is in use.');
        if (devices.length >= MAX_DEVICES)
          throw new ProtocolError('device_list_invalid', 'The account has as many devices as it may have.');
        await trx.deleteFrom('linkRequests').where('sessionId', '=', sessionId).execute();
        await trx
          .deleteFrom('linkRequests')
          .where('userId', '=', userId)
          .where('expiresAt', '<=', requestedAt)
          .execute();
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
      const requests = rows.map((row) =>
        shown(NewDevice.parse(JSON.parse(row.device)), row.requestedAt, row.expiresAt),
      );
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
