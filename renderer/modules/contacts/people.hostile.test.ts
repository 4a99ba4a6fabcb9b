import { IDBKeyRange } from 'fake-indexeddb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { changed, get, search, type Person } from '../../../protocol/contacts.ts';
import { UserId } from '../../../protocol/ids.ts';
import { createVault } from '../../crypto/create-vault.ts';
import { HeadlessClient, until } from '../../testing/headless-client.ts';
import { MeddlingServer } from '../../testing/meddling-server.ts';
import { ServerProcess } from '../../testing/server-process.ts';
import { LIMITS } from './limits.ts';

/* A server that tells a client of people without end. */

let server: ServerProcess;
let meddler: MeddlingServer;
let ada: HeadlessClient;
let ben: HeadlessClient;
let count = 0;

beforeAll(async () => {
  server = await ServerProcess.start();
  ben = await HeadlessClient.join(server.origin, server.invitation, 'ben');
  meddler = await MeddlingServer.start(server.origin);
  const [link] = await ben.accounts.createInvitations({ count: 2, role: 'member', validHours: 1 });
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

function invented(): Person {
  const name = `invented${++count}`;
  return { userId: UserId.parse(crypto.randomUUID()), username: name, displayName: name, role: 'member' };
}

async function worksOn(): Promise<void> {
  const text = `message ${++count}`;
  await ben.chat.send(text);
  await until(() => ada.texts().includes(text), `${text} arrives`);
}

it('of people whom nobody here knows nothing is kept, and the directory is looked at once', async () => {
  const request = vi.spyOn(ada.connection, 'request');
  for (let i = 0; i < 5000; i += 1) meddler.tell(changed.name, { person: invented() });
  await worksOn();
  expect(ada.contacts.people.map(({ username }) => username)).toEqual(['ada', 'ben']);
  const asked = request.mock.calls.map(([{ name }]) => name).filter((name) => name.startsWith('contacts.'));
  // What the start still asks for, at most, besides.
  expect(asked.length).toBeLessThan(6);
  expect(asked).toContain(search.name);
  request.mockRestore();
});

it('somebody who joins is known a moment later', { timeout: 60_000 }, async () => {
  const [link] = await ben.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  // Within the pause after the last look: seen once it is over.
  const cat = await HeadlessClient.join(server.origin, link!.split('/').at(-1)!, 'cat');
  await until(() => ada.contacts.people.some(({ username }) => username === 'cat'), 'Cat is known');
  cat.close();
});

it('a stored profile that holds thousands of them is rid of them, and not of whom one writes to', async () => {
  ada.close();
  await storeInvented(ada.disk, 5000);
  ada = await ada.reopen(meddler.origin);
  expect(ada.contacts.people.length).toBeGreaterThan(5000);
  const request = vi.spyOn(ada.connection, 'request');
  await ada.online();
  await until(() => ada.contacts.people.length <= 3, 'they are forgotten');
  await ada.chat.open(ben.userId);
  await worksOn();
  expect(ada.contacts.person(ben.userId).displayName).toBe('BEN');
  const asked = request.mock.calls.filter(([{ name }]) => name === get.name);
  expect(asked.length).toBeLessThanOrEqual(LIMITS.questionsInAConnection.value + 2);
  expect(ada.faults).toEqual([]);
  ada = await ada.reopen(meddler.origin);
  expect(ada.contacts.people.length).toBeLessThanOrEqual(3);
});

it('of people whom searches bring so many are kept, and those found last', { timeout: 60_000 }, async () => {
  await ada.online();
  await until(() => ada.contacts.person(ada.userId).displayName === 'ADA', 'what was missed is fetched');
  const answers = vi.spyOn(ada.connection, 'request');
  // A server answers a search with more than was asked for, and with somebody twice.
  answers.mockImplementation((method) => {
    const people = Array.from({ length: 60 }, invented);
    const found = method.name === search.name ? { people: [people[0], ...people], more: false } : {};
    return Promise.resolve(found as never);
  });
  const most = LIMITS.strangers.value;
  let last: readonly { readonly userId: UserId }[] = [];
  for (let i = 0; i < most / 50 + 10; i += 1) last = await ada.contacts.find('');
  answers.mockRestore();
  expect(last.length).toBe(50);
  expect(new Set(last.map(({ userId }) => userId)).size).toBe(50);
  expect(ada.contacts.people.length).toBeLessThanOrEqual(most + 210);
  for (const { userId } of last) expect(ada.contacts.person(userId).displayName).not.toBe('');
  expect(ada.contacts.person(ben.userId).displayName).toBe('BEN');
});

/** As an earlier version of the client has kept them. */
async function storeInvented(disk: HeadlessClient['disk'], many: number): Promise<void> {
  const vault = createVault({ indexedDB: disk, IDBKeyRange, now: () => Date.now() });
  await vault.open(null, { origin: meddler.origin, first: null });
  await vault.learnPeople(Array.from({ length: many }, invented));
  await vault.close();
}
