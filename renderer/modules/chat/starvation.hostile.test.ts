import { afterAll, beforeAll, expect, it } from 'vitest';
import { CallId } from '../../../protocol/ids.ts';
import { HeadlessClient, until } from '../../testing/headless-client.ts';
import { ServerProcess } from '../../testing/server-process.ts';

/* One colleague who sends without end must not keep from anybody what the others have sent. */

let server: ServerProcess;
let ben: HeadlessClient;
let cat: HeadlessClient;
let eve: HeadlessClient;

beforeAll(async () => {
  server = await ServerProcess.start();
  ben = await HeadlessClient.join(server.origin, server.invitation, 'ben');
  const links = await ben.accounts.createInvitations({ count: 2, role: 'member', validHours: 1 });
  const join = (i: number, name: string) => HeadlessClient.join(server.origin, links[i]!.split('/').at(-1)!, name);
  [cat, eve] = [await join(0, 'cat'), await join(1, 'eve')];
});
afterAll(async () => {
  for (const client of [ben, cat, eve]) client?.close();
  await server?.dispose();
});

const callId = () => CallId.parse(crypto.randomUUID());
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

it('a missed call is entered as missed while another colleague sends entry after entry', async () => {
  let goesOn = true;
  const noise = (async () => {
    while (goesOn) {
      await eve.chat.callStarted(ben.userId, callId(), 'voice');
      await pause(300);
    }
  })();
  const outcomes = async () =>
    (await ben.chat.recentCalls(1000))
      .filter(({ conversation }) => conversation === cat.userId)
      .map(({ body }) => body.kind === 'call' && body.outcome);
  await pause(500);
  await cat.chat.callStarted(ben.userId, callId(), 'voice');
  const end = Date.now() + 15_000;
  while (Date.now() < end && (await outcomes())[0] !== 'missed') await pause(100);
  expect(await outcomes()).toEqual(['missed']);
  goesOn = false;
  await noise;
});

it('many messages of one conversation are one notification, and one of the latest', { timeout: 60_000 }, async () => {
  await eve.chat.open(ben.userId);
  await cat.chat.open(ben.userId);
  const begun = Date.now();
  for (let i = 1; i <= 300; i += 1) await eve.chat.send(`number ${i}`);
  await cat.chat.send('from Cat');
  await until(() => ben.notifications.includes('number 300'), 'of the latest');
  await until(() => ben.notifications.includes('from Cat'), 'of the other');
  const ofEve = ben.notifications.filter((body) => body.startsWith('number'));
  expect(ofEve[0]).toBe('number 1');
  expect(ofEve.length).toBeLessThanOrEqual(2 + (Date.now() - begun) / 2000);
});
