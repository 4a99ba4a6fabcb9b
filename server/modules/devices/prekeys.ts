import {
  PREKEY_LOW,
  prekeysLow,
  prekeyStatus,
  publishPrekeys,
  takeBundles,
  type PrekeyBundle,
} from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceAddress, DeviceId, UserId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';
import { once } from '../../store/once.ts';
import type { Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { register } from '../../ws/method.ts';
import { requestScopeOf } from '../../ws/replay.ts';
import type { DevicesDeps } from './deps.ts';
import { LIMITS } from './limits.ts';
import { requirePrekeys } from './lists.ts';
import { PrekeyQuota } from './prekey-quota.ts';
import { countPrekeys, insertPrekeys, signedPrekeyColumns, takePrekey } from './store.ts';

export function takeBundlesMethod(deps: DevicesDeps) {
  const quota = new PrekeyQuota(deps.now);
  return register(takeBundles, {
    permission: 'device',
    // Each call uses up somebody's prekeys.
    limit: { requests: 300, seconds: 60, by: 'account' },
    replay: 'own',
    handle: async ({ devices, idempotencyId }, caller) => {
      const key = { scope: requestScopeOf(caller), id: idempotencyId, method: takeBundles.name };
      const low: { address: DeviceAddress; remaining: number }[] = [];
      const { result } = await once(deps.store, key, deps.now(), async (trx) => {
        low.length = 0;
        const bundles: PrekeyBundle[] = [];
        for (const address of inOrder(devices)) {
          const bundle = await takeBundle(trx, deps.store.kind, address, () =>
            quota.take(caller.session.userId, address),
          );
          if (!bundle) continue;
          bundles.push(bundle);
          if (!bundle.prekey) continue;
          const remaining = await countPrekeys(trx, address.userId, address.deviceId);
          // Told once, when the count falls below; a device that was away asks for it when it comes back.
          if (remaining === PREKEY_LOW - 1) low.push({ address, remaining });
        }
        return { bundles };
      });
      for (const { address, remaining } of low)
        deps.events.toDevice(address.userId, address.deviceId, prekeysLow, { remaining });
      return result;
    },
  });
}

/** Each device once, and always in the same order, so that two takers never wait for each other. */
function inOrder(devices: readonly DeviceAddress[]): DeviceAddress[] {
  const byName = new Map(devices.map((device) => [`${device.userId}/${device.deviceId}`, device]));
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, device]) => device);
}

async function takeBundle(
  trx: Trx,
  kind: Store['kind'],
  { userId, deviceId }: DeviceAddress,
  mayTakePrekey: () => boolean,
): Promise<PrekeyBundle | undefined> {
  const device = await trx
    .selectFrom('devices')
    // Who takes no messages gives no keys for them.
    .innerJoin('deviceLists', 'deviceLists.userId', 'devices.userId')
    .select(['registrationId', 'identityKey', 'signedPrekeyId', 'signedPrekey', 'signedPrekeySignature'])
    .where('devices.userId', '=', userId)
    .where('deviceId', '=', deviceId)
    .where('suspended', '=', 0)
    .executeTakeFirst();
  if (!device) return undefined;
  const prekey = mayTakePrekey() ? await takePrekey(trx, kind, userId, deviceId) : undefined;
  return {
    userId,
    deviceId,
    registrationId: device.registrationId,
    identityKey: device.identityKey,
    signedPrekey: {
      keyId: device.signedPrekeyId,
      publicKey: device.signedPrekey,
      signature: device.signedPrekeySignature,
    },
    ...(prekey ? { prekey } : {}),
  };
}

export function prekeyStatusMethod({ store }: DevicesDeps) {
  return register(prekeyStatus, {
    permission: 'device',
    // By it a client finds out whether its line is alive.
    capability: 'session',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async (_, { session: { userId, deviceId } }) => {
      const device = await store.db
        .selectFrom('devices')
        .select(['signedPrekeyId', 'signedPrekeyAt'])
        .where('userId', '=', userId)
        .where('deviceId', '=', deviceId)
        .executeTakeFirst();
      if (!device) throw new ProtocolError('device_unknown', 'The device is no longer on the list.');
      return { remaining: await countPrekeys(store.db, userId, deviceId), ...device };
    },
  });
}

export function publishPrekeysMethod(deps: DevicesDeps) {
  return register(publishPrekeys, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    replay: 'own',
    handle: async (params, caller) => {
      requirePrekeys(params.signedPrekey?.publicKey, params.prekeys);
      const key = { scope: requestScopeOf(caller), id: params.idempotencyId, method: publishPrekeys.name };
      const { userId, deviceId } = caller.session;
      const { result } = await once(deps.store, key, deps.now(), async (trx) => {
        await publish(trx, userId, deviceId, params, deps.now());
        return { remaining: await countPrekeys(trx, userId, deviceId) };
      });
      return result;
    },
  });
}

async function publish(
  trx: Trx,
  userId: UserId,
  deviceId: DeviceId,
  { signedPrekey, prekeys }: ParamsOf<typeof publishPrekeys>,
  now: number,
): Promise<void> {
  if (signedPrekey) {
    const columns = signedPrekeyColumns(signedPrekey, now);
    await trx
      .updateTable('devices')
      .set(columns)
      .where('userId', '=', userId)
      .where('deviceId', '=', deviceId)
      .execute();
  }
  if (prekeys.length === 0) return;
  const ids = prekeys.map((prekey) => prekey.keyId);
  const known = await trx
    .selectFrom('prekeys')
    .select(['keyId', 'publicKey'])
    .where('userId', '=', userId)
    .where('deviceId', '=', deviceId)
    .where('keyId', 'in', ids)
    .execute();
  const keys = new Map(known.map((row) => [row.keyId, row.publicKey]));
  if (prekeys.some(({ keyId, publicKey }) => keys.has(keyId) && keys.get(keyId) !== publicKey)) {
    throw new ProtocolError('prekey_invalid', 'A prekey with this id is waiting already.');
  }
  await insertPrekeys(
    trx,
    userId,
    deviceId,
    prekeys.filter((prekey) => !keys.has(prekey.keyId)),
  );
  if ((await countPrekeys(trx, userId, deviceId)) > LIMITS.waitingPrekeys.value)
    throw new ProtocolError('prekey_invalid', 'Too many prekeys are waiting.');
}
