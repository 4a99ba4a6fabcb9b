import { afterAll, beforeAll, expect, it } from 'vitest';
import { delivered } from '../../protocol/chat.ts';
import { UnknownSender } from '../modules/chat/inbox.ts';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { MeddlingServer } from '../testing/meddling-server.ts';
import { ServerProcess } from '../testing/server-process.ts';

/* A hostile server delivers what people sent who do not exist, to a real client that talks to a real server. */

const MANY = 1000;

let server: ServerProcess;
let meddler: MeddlingServer;
let ada: HeadlessClient;
let ben: HeadlessClient;

beforeAll(async () => {
  server = await ServerProcess.start();
  ben = await HeadlessClient.join(server.origin, server.invitation, 'ben');
  meddler = await MeddlingServer.start(server.origin);
  const [link] = await ben.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  ada = await HeadlessClient.join(meddler.origin, link!.split('/').at(-1)!, 'ada');
  await ada.chat.open(ben.userId);
  await ben.chat.open(ada.userId);
  await ben.chat.send('before');
  await until(() => ada.texts().includes('before'), 'a message arrives');
});
afterAll(async () => {
  ada?.close();
  ben?.close();
  await meddler?.close();
  await server?.dispose();
});

it('senders who do not exist leave no conversation, and keep no colleague waiting', { timeout: 60_000 }, async () => {
  for (let i = 0; i < MANY; i += 1) {
    const envelope = {
      queueId: 1_000_000 + i,
      messageId: crypto.randomUUID(),
      sender: { userId: crypto.randomUUID(), deviceId: 1 },
      position: Date.now() * 1000 + i,
      payload: 'A'.repeat(400),
      key: { type: 'message', body: 'AAAA' },
    };
    meddler.tell(delivered.name, { envelope });
    if (i % 100 === 99) await new Promise((done) => setTimeout(done, 1));
  }
  await ben.chat.send('after');
  await until(() => ada.texts().includes('after'), 'a message arrives behind them');
  expect(ada.faults).toEqual([expect.any(UnknownSender)]);
  ada = await ada.reopen(meddler.origin);
  await ada.online();
  await ada.chat.open(ben.userId);
  expect(ada.texts()).toEqual(['before', 'after']);
  expect(ada.chat.conversations.map(({ userId }) => userId)).toEqual([ben.userId]);
  expect(ada.chat.unread).toBeLessThanOrEqual(2);
  expect(ada.faults.filter((fault) => !(fault instanceof UnknownSender))).toEqual([]);
});
