import { afterAll, beforeAll, expect, it } from 'vitest';
import { activeSpeaker, ended, ringing, updated } from '../../protocol/calls.ts';
import { delivered, expiredChanged } from '../../protocol/chat.ts';
import { changed } from '../../protocol/contacts.ts';
import { listChanged } from '../../protocol/devices.ts';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { MeddlingServer } from '../testing/meddling-server.ts';
import { ServerProcess } from '../testing/server-process.ts';

/*
 * A hostile server floods a real client with events that are valid and good for nothing, and with malformed ones. Here
 * 20,000 of the first; five times as many take five times as long, with the same outcome.
 */

/** Of each of the ten kinds. */
const EACH = 2000;
const STRANGER = '9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001';

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

function callOf(callId: string, state: 'ringing' | 'left', i: number) {
  const of = (userId: string, is: string) => {
    return { participantId: crypto.randomUUID(), userId, deviceId: null, state: is, live: [] };
  };
  const participants = [of(ben.userId, 'joined'), of(ada.userId, state), of(crypto.randomUUID(), 'joined')];
  return { callId, media: 'voice', startedBy: ben.userId, startedAt: 1_790_000_000_000 + i, revision: 1, participants };
}

function uselessEvents(i: number): [string, unknown][] {
  const envelope = {
    queueId: 1_000_000 + i,
    messageId: crypto.randomUUID(),
    sender: { userId: ben.userId, deviceId: 1 },
    position: 1_790_000_000_000_000 + i,
    payload: 'A'.repeat(400),
    key: { type: 'message', body: 'AAAA' },
  };
  const person = { userId: STRANGER, username: 'eve', displayName: `Eve ${i}`, role: 'member' };
  const somebody = { ...person, userId: crypto.randomUUID(), username: `eve${i}` };
  const callId = crypto.randomUUID();
  return [
    [changed.name, { person: somebody }],
    [ringing.name, { call: callOf(callId, 'ringing', i) }],
    [updated.name, { call: callOf(crypto.randomUUID(), 'left', i) }],
    [activeSpeaker.name, { callId, participantId: null }],
    [ended.name, { callId }],
    [delivered.name, { envelope }],
    [changed.name, { person }],
    [listChanged.name, { userId: STRANGER, version: i + 1 }],
    [expiredChanged.name, {}],
    ['something.new', { i }],
  ];
}

it('useless events leave the client usable, and its line whole', { timeout: 120_000 }, async () => {
  const lines = meddler.connections;
  for (let i = 0; i < EACH; i += 1) {
    for (const [name, params] of uselessEvents(i)) meddler.tell(name, params);
    if (i % 100 === 99) await new Promise((done) => setTimeout(done, 1));
  }
  await ben.chat.send('after the flood');
  // Events are handled in their order, so this one waits for those before it.
  const end = Date.now() + 90_000;
  while (!ada.texts().includes('after the flood') && Date.now() < end) {
    await new Promise((done) => setTimeout(done, 20));
  }
  expect(ada.texts()).toContain('after the flood');
  expect(meddler.connections, 'the line is kept').toBe(lines);
  expect(ada.faults).toEqual([]);
  expect(ada.contacts.people.length).toBeLessThan(200);
  await ada.chat.send('answer');
  await until(() => ben.texts().includes('answer'), 'an answer arrives');
});

it('malformed events end one line each, and the client comes back by itself', { timeout: 120_000 }, async () => {
  const lines = meddler.connections;
  const end = Date.now() + 5000;
  while (Date.now() < end) {
    for (let i = 0; i < 1000; i += 1) meddler.tell(delivered.name, { envelope: i });
    await new Promise((done) => setTimeout(done, 50));
  }
  expect(meddler.connections - lines, 'it waits between attempts').toBeLessThan(60);
  await ada.online();
  await ben.chat.send('still there');
  await until(() => ada.texts().includes('still there'), 'a message arrives');
});
