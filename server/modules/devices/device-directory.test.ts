import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UserId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { newId } from '../../testing/person.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';
import { DeviceDirectory } from './device-directory.ts';

onEachDatabase((newDatabase) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
  });
  afterAll(() => server.dispose());

  const ask = (directory: DeviceDirectory, ...users: UserId[]) =>
    server.store.transaction((trx) => directory.devicesOf(trx, new Set(users)));
  /** What publishing a list without devices does to the tables. */
  const removeDevices = (userId: UserId, done = () => {}) =>
    server.store.transaction(async (trx) => {
      await trx.updateTable('deviceLists').set({ version: 2 }).where('userId', '=', userId).execute();
      await trx.deleteFrom('devices').where('userId', '=', userId).execute();
      done();
    });

  it('knows the accounts that exist, and sees a new list without being told of it', async () => {
    const directory = new DeviceDirectory(server.store.kind);
    const [ada, bob] = [(await server.join()).person, (await server.join()).person];
    const stranger = newId() as string as UserId;
    const devices = { ada: new Set([ada.device.public.deviceId]), bob: new Set([bob.device.public.deviceId]) };
    const both = new Map([
      [ada.userId, devices.ada],
      [bob.userId, devices.bob],
    ]);
    expect(await ask(directory, ada.userId, bob.userId, stranger)).toEqual(both);
    await removeDevices(ada.userId);
    expect(await ask(directory, ada.userId, bob.userId)).toEqual(both.set(ada.userId, new Set()));
  });

  it('has a new list wait for the messages that are being written to the devices of the old one', async () => {
    const directory = new DeviceDirectory(server.store.kind);
    const { userId } = (await server.join()).person;
    const order: string[] = [];
    const asked = Promise.withResolvers<void>();
    const message = server.store.transaction(async (trx) => {
      await directory.devicesOf(trx, new Set([userId]));
      asked.resolve();
      await delay(100);
      order.push('message');
    });
    await asked.promise;
    await Promise.all([message, removeDevices(userId, () => order.push('list'))]);
    expect(order).toEqual(['message', 'list']);
  });
});
