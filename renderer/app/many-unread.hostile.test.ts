import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIMITS } from '../crypto/limits.ts';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { ServerProcess } from '../testing/server-process.ts';

const COUNT = 2 * LIMITS.readInATurn.value + 20;

let server: ServerProcess;
let ada: HeadlessClient;
let ben: HeadlessClient;

beforeAll(async () => {
  server = await ServerProcess.start();
  ada = await HeadlessClient.join(server.origin, server.invitation, 'ada');
  const [link] = await ada.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  ben = await HeadlessClient.join(server.origin, link!.split('/').at(-1)!, 'ben');
});
afterAll(async () => {
  ada?.close();
  ben?.close();
  await server?.dispose();
});

it('all that was seen is read, and told, also if one looks away at once', { timeout: 120_000 }, async () => {
  await ada.chat.open(ben.userId);
  for (let i = 0; i < COUNT; i += 1) await ada.chat.send(`${i}`);
  await until(() => ben.chat.unread === COUNT, 'all have come');
  await ben.chat.open(ada.userId);
  ben.chat.watch(true);
  ben.chat.close();
  await until(() => ben.chat.unread === 0, 'everything is read');
  await until(() => ada.states().every((state) => state === 'read'), 'everything is told');
  expect(ada.states()).toHaveLength(COUNT);
  await ada.chat.send('one more');
  await until(() => ben.chat.unread === 1, 'what comes later is unread');
  expect([...ada.faults, ...ben.faults]).toEqual([]);
});
