import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { PREKEY_LOW, prekeysLow, takeBundles } from '../../../protocol/devices.ts';
import { newDevice, newId, Person } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import { PrekeyQuota } from './prekey-quota.ts';

let server: TestServer;
let ahead = 0;
beforeAll(async () => {
  server = await startTestServer({ now: () => Date.now() + ahead });
});
afterEach(() => (ahead = 0));
afterAll(() => server.dispose());

async function take({ client }: Member, target: Member): Promise<boolean> {
  const devices = [{ userId: target.person.userId, deviceId: target.person.device.public.deviceId }];
  const { bundles } = await client.request(takeBundles, { devices, idempotencyId: newId() });
  expect(bundles[0]?.signedPrekey).toEqual(target.person.device.public.signedPrekey);
  return bundles[0]?.prekey !== undefined;
}

async function takeMany(taker: Member, target: Member, count: number): Promise<number> {
  let given = 0;
  for (let i = 0; i < count; i += 1) given += Number(await take(taker, target));
  return given;
}

it('one colleague cannot drain another’s prekeys; a third still gets some, and the next day brings more', async () => {
  const victim = await server.join(new Person('Victim', undefined, newDevice(100)));
  const [thief, third] = [await server.join(), await server.join()];
  expect(await takeMany(thief, victim, 90)).toBe(LIMITS.prekeysByRequester.value);
  expect(await take(third, victim)).toBe(true);
  ahead = LIMITS.prekeyQuotaPeriod.value + 1000;
  expect(await takeMany(thief, victim, 3)).toBe(3);
});

it('a device is told once that its prekeys run low, not with every one that is taken', async () => {
  const victim = await server.join(new Person('Second Victim', undefined, newDevice(PREKEY_LOW + 3)));
  const thief = await server.join();
  expect(await takeMany(thief, victim, PREKEY_LOW + 10)).toBe(PREKEY_LOW + 3);
  expect(await victim.client.next(prekeysLow)).toEqual({ remaining: PREKEY_LOW - 1 });
  expect(victim.client.events.filter(({ event }) => event === prekeysLow.name)).toEqual([]);
});

it('colleagues together get only so many of a device’s prekeys in a day, and another device’s are not counted', () => {
  let now = 0;
  const quota = new PrekeyQuota(() => now);
  const [target, other] = [1, 2].map((id) => ({ userId: 'victim' as UserId, deviceId: id as DeviceId }));
  if (!target || !other) throw new Error('there are two');
  const each = LIMITS.prekeysByRequester.value;
  // Twice as many as it takes.
  const thieves = Array.from({ length: (2 * LIMITS.prekeysByTarget.value) / each }, (_, at) => `thief ${at}` as UserId);
  const takeAll = () => {
    let taken = 0;
    for (const thief of thieves) for (let at = 0; at < each; at++) taken += Number(quota.take(thief, target));
    return taken;
  };
  expect(takeAll()).toBe(LIMITS.prekeysByTarget.value);
  expect(quota.take('friend' as UserId, target)).toBe(false);
  expect(quota.take('friend' as UserId, other)).toBe(true);
  now = LIMITS.prekeyQuotaPeriod.value;
  expect(quota.take('friend' as UserId, target)).toBe(true);
});
