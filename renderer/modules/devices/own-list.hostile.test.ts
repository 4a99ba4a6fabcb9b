import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { DeviceList, LIST_RENEWAL_MS, lists, publishList } from '../../../protocol/devices.ts';
import type { SignedDeviceList } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { TimeoutError } from '../../net/connection.ts';
import { HeadlessClient, PASSWORD, until } from '../../testing/headless-client.ts';
import { ServerProcess } from '../../testing/server-process.ts';

/* The app at a real server that keeps the owner's lists to itself, loses answers, or is merely late. */

let server: ServerProcess;
let admin: HeadlessClient;
let ada: HeadlessClient;
let stolen: HeadlessClient;
let count = 0;

beforeAll(async () => {
  server = await ServerProcess.start();
  admin = await HeadlessClient.join(server.origin, server.invitation, 'admin');
});

afterAll(async () => {
  admin?.close();
  await server?.dispose();
});

beforeEach(async () => {
  const username = `ada${(count += 1)}`;
  const [link] = await admin.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  ada = await HeadlessClient.join(server.origin, link!.split('/').at(-1)!, username);
  stolen = new HeadlessClient(server.origin);
  await stolen.accounts.begin();
  await stolen.accounts.signIn({ username, password: PASSWORD });
  await until(() => ada.devices.linkRequests.length === 1, 'the request is shown');
  await ada.devices.approve(ada.devices.linkRequests[0]!);
  await until(() => stolen.accounts.stage.kind === 'ready', 'the second device is linked');
  await stolen.online();
});

afterEach(() => {
  vi.useRealTimers();
  const faults = [ada, stolen].flatMap((client) => client.faults);
  for (const client of [ada, stolen]) client.close();
  // Nothing of it is a fault of the program.
  expect(faults).toEqual([]);
});

/** How lists that the owner publishes fare, until `over`. */
function publishing(how: (send: () => Promise<unknown>) => Promise<unknown>) {
  const { connection } = ada;
  const genuine = connection.request.bind(connection);
  const published: SignedDeviceList[] = [];
  const spy = vi.spyOn(connection, 'request').mockImplementation((method, params) => {
    if (method.name !== publishList.name) return genuine(method, params);
    published.push((params as { readonly list: SignedDeviceList }).list);
    return how(() => genuine(method, params)) as never;
  });
  return { published, over: () => spy.mockRestore() };
}

/** A connection that cannot be resumed: everything is fetched anew. */
async function comesBack(meanwhile: () => void = () => undefined): Promise<void> {
  await server.kill();
  await until(() => ada.connection.state.kind !== 'online', 'the loss is noticed');
  meanwhile();
  await server.start();
  for (const client of [ada, admin]) {
    client.network = false;
    client.network = true;
    await client.online();
  }
}

function others() {
  return ada.devices.devices.filter(({ current }) => !current);
}

async function shownList(): Promise<DeviceList> {
  const { lists: shown } = await admin.connection.request(lists, { users: [ada.userId] });
  return DeviceList.parse(JSON.parse(shown[0]!.payload));
}

it('a removal that the server says it took, and does not show, is published again, and the owner reads it', async () => {
  const { published, over } = publishing(() => Promise.resolve({}));
  const [other] = others();
  await ada.devices.remove(other!.deviceId);
  expect(published).toHaveLength(2);
  expect(published[1]).toEqual(published[0]);
  expect(ada.devices.listWithheld).toBe(true);
  expect(others()).toEqual([]);

  await comesBack();
  expect(published, 'it is offered with each connection').toHaveLength(3);
  expect(ada.devices.listWithheld).toBe(true);
  for (const list of published) expect(list).toEqual(published[0]);

  over();
  await comesBack();
  expect(ada.devices.listWithheld).toBe(false);
  await until(() => stolen.accounts.stage.kind === 'signed-out', 'the removed device is out');
  expect((await shownList()).devices).toHaveLength(1);
});

it('messages wait while the server refuses the removal, and go when it has taken it', async () => {
  const { published, over } = publishing(() => Promise.reject(new ProtocolError('storage_full', 'no room')));
  await ada.devices.remove(others()[0]!.deviceId).catch(() => undefined);
  expect(published.length).toBeGreaterThan(0);
  await ada.chat.open(admin.userId);
  await ada.chat.send('patient');
  await until(() => ada.chat.conversations[0]?.heldBack === 'device_list_unpublished', 'it is told why they wait');
  expect(ada.states()).toEqual(['queued']);
  over();
  await comesBack();
  await until(() => ada.states()[0] !== 'queued', 'it is sent');
  expect(ada.chat.conversations[0]?.heldBack).toBe(undefined);
  await until(() => stolen.accounts.stage.kind === 'signed-out', 'the removed device is out');
  // Told, and nothing else.
  expect(ada.faults.splice(0).filter((fault) => !ProtocolError.is(fault, 'storage_full'))).toEqual([]);
});

it.each([
  ['after the server has taken it', true],
  ['before the server has got it', false],
])('a removal whose answer is lost %s comes through with the next start', async (_, taken) => {
  const { published } = publishing(async (send) => {
    if (taken) await send();
    throw new TimeoutError('no answer');
  });
  await expect(ada.devices.remove(others()[0]!.deviceId)).rejects.toBeInstanceOf(TimeoutError);
  expect(new Set(published.map(({ payload }) => payload)).size).toBe(1);
  expect(others(), 'it holds here already').toEqual([]);
  expect(ada.devices.listWithheld, 'nothing was refused').toBe(false);

  ada = await ada.reopen(server.origin);
  await ada.online();
  await until(() => stolen.accounts.stage.kind === 'signed-out', 'the removed device is out');
  expect(others()).toEqual([]);
  expect(ada.devices.listWithheld).toBe(false);
  expect((await shownList()).devices).toHaveLength(1);
});

it('a list that is due is signed anew by the app itself, with the next connection', async () => {
  const { version, issuedAt } = await shownList();
  await comesBack();
  expect(await shownList(), 'not before it is due').toMatchObject({ version, issuedAt });
  // As if this device had been asleep for a week.
  const then = Date.now() - LIST_RENEWAL_MS - 60_000;
  vi.useFakeTimers({ toFake: ['Date'], now: then });
  await ada.devices.remove(others()[0]!.deviceId);
  const old = await shownList();
  expect(old).toMatchObject({ issuedAt: then });
  await comesBack(() => vi.useRealTimers());
  const renewed = await shownList();
  expect(renewed).toEqual({ ...old, version: old.version + 1, issuedAt: renewed.issuedAt });
  expect(Date.now() - renewed.issuedAt).toBeLessThan(60_000);
});
