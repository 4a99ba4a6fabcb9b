import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { decline, ended, ringing, updated, type Call } from '../../protocol/calls.ts';
import { CallId, UserId, Uuid } from '../../protocol/ids.ts';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { MeddlingServer } from '../testing/meddling-server.ts';
import { ServerProcess } from '../testing/server-process.ts';
import { LIMITS } from '../modules/calls/limits.ts';

/* A server that makes up calls without end. */

let server: ServerProcess;
let meddler: MeddlingServer;
let ada: HeadlessClient;
let ben: HeadlessClient;
let count = 0;

beforeAll(async () => {
  server = await ServerProcess.start();
  ben = await HeadlessClient.join(server.origin, server.invitation, 'ben');
  meddler = await MeddlingServer.start(server.origin);
  const [link] = await ben.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  ada = await HeadlessClient.join(meddler.origin, link!.split('/').at(-1)!, 'ada');
  await ada.chat.open(ben.userId);
  await ben.chat.open(ada.userId);
  await worksOn();
});
afterAll(async () => {
  ada?.close();
  ben?.close();
  await meddler?.close();
  await server?.dispose();
});

async function worksOn(): Promise<void> {
  const text = `message ${++count}`;
  await ben.chat.send(text);
  await until(() => ada.texts().includes(text), `${text} arrives`);
}

function call(state: 'ringing' | 'left', others: readonly UserId[] = []): Call {
  const participant = (userId: UserId, is: 'joined' | 'ringing' | 'left') => ({
    participantId: Uuid.parse(crypto.randomUUID()) as Call['participants'][number]['participantId'],
    userId,
    deviceId: null,
    state: is,
    live: [],
  });
  const participants = [participant(ben.userId, 'joined'), participant(ada.userId, state)];
  return {
    callId: CallId.parse(crypto.randomUUID()),
    media: 'voice',
    startedBy: ben.userId,
    startedAt: Date.now(),
    revision: 1,
    participants: [...participants, ...others.map((userId) => participant(userId, 'joined'))],
  };
}

const invented = () => UserId.parse(crypto.randomUUID());

it('while one rings, six more are taken in, and nothing is entered or answered of the rest', async () => {
  const request = vi.spyOn(ada.connection, 'request');
  for (let i = 0; i < 2000; i += 1) meddler.tell(ringing.name, { call: call('ringing') });
  await worksOn();
  expect(ada.calls.incoming).not.toBeNull();
  expect(request.mock.calls.filter(([{ name }]) => name === decline.name).length).toBe(LIMITS.ringingMeanwhile.value);
  await until(() => ada.chat.messages.some(({ body }) => body.kind === 'call'), 'those are entered');
  expect((await ada.chat.recentCalls(5000)).length).toBe(LIMITS.ringingMeanwhile.value);
  request.mockRestore();
});

it('calls that ring and end at once, one after the other, leave a bounded number of entries', async () => {
  const request = vi.spyOn(ada.connection, 'request');
  for (let i = 0; i < 1000; i += 1) {
    const one = call('ringing');
    meddler.tell(ringing.name, { call: one });
    meddler.tell(ended.name, { callId: one.callId });
  }
  await worksOn();
  const most = LIMITS.ringsAnHour.value;
  expect((await ada.chat.recentCalls(5000)).length).toBeLessThanOrEqual(most);
  expect(request.mock.calls.filter(([{ name }]) => name === decline.name).length).toBeLessThanOrEqual(most);
  request.mockRestore();
});

it('calls to come back to, full of people nobody knows, are bounded, and so are the questions for their names', async () => {
  const request = vi.spyOn(ada.connection, 'request');
  for (let i = 0; i < 500; i += 1) {
    meddler.tell(updated.name, { call: call('left', Array.from({ length: 20 }, invented)) });
  }
  await worksOn();
  expect(ada.calls.rejoinable.length).toBeLessThanOrEqual(LIMITS.knownCalls.value);
  expect(ada.calls.rejoinable.length).toBeGreaterThan(10);
  expect(request.mock.calls.length).toBeLessThan(250);
  expect(ada.faults).toEqual([]);
  request.mockRestore();
});

it('a call that is real rings all the same once the made-up ones are over', async () => {
  ada = await ada.reopen(meddler.origin);
  await ada.online();
  await ada.chat.open(ben.userId);
  await worksOn();
  const real = call('ringing');
  meddler.tell(ringing.name, { call: real });
  await until(() => ada.calls.incoming?.callId === real.callId, 'it rings');
});
