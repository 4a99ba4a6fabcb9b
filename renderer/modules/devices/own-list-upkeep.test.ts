import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { linkRequested, listChanged, lists, publishList } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { DeviceId, UserId } from '../../../protocol/ids.ts';
import type { ListChange, Vault } from '../../crypto/vault.ts';
import { TimeoutError } from '../../net/connection.ts';
import type { Connection } from '../../net/connection.ts';
import { Devices } from './devices.svelte.ts';
import { LIMITS } from './limits.ts';

const HOUR = 3_600_000;
const own = { userId: UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002'), deviceId: DeviceId.parse(1) };
const due = { idempotencyId: 'id', list: {} } as unknown as ListChange;

let devices: Devices;
/** Names of the methods that were asked for. */
let asked: string[];
let faults: unknown[];
/** What the vault wants published. */
let wanted: ListChange | null;
let answer: () => Promise<unknown>;
let handlers: Map<unknown, (params: unknown) => unknown>;
let removed: readonly DeviceId[];

beforeEach(async () => {
  vi.useFakeTimers();
  asked = [];
  faults = [];
  wanted = null;
  removed = [];
  handlers = new Map();
  answer = () => Promise.resolve({});
  const connection = {
    welcome: { deviceId: own.deviceId },
    state: { kind: 'online' },
    on: (event: unknown, handler: (params: unknown) => unknown) => handlers.set(event, handler),
    onResync: () => undefined,
    request: ({ name }: { readonly name: string }) => {
      asked.push(name);
      return name === publishList.name ? answer() : Promise.resolve({ lists: [] });
    },
  } as unknown as Connection;
  const vault = {
    updateLists: () => Promise.resolve(),
    ownDevices: () => Promise.resolve({ devices: [], canSign: true, removed, unpublished: wanted !== null }),
    linkCode: () => Promise.resolve('the code'),
    changeOwnList: () => Promise.resolve(due),
    listToPublish: () => Promise.resolve(wanted),
    listPublished: () => Promise.resolve(void (wanted = null)),
    listRefused: () => Promise.resolve(),
  } as unknown as Vault;
  const report = (error: unknown) => faults.push(error);
  devices = new Devices({ connection, vault, report, sendWaiting: () => Promise.resolve() });
  await devices.load(own);
});

afterEach(() => {
  devices.clear();
  vi.useRealTimers();
});

function published(): number {
  return asked.filter((name) => name === publishList.name).length;
}

it('an app that stays open publishes a list that has become due', async () => {
  await vi.advanceTimersByTimeAsync(13 * HOUR);
  expect(published()).toBe(0);
  wanted = due;
  await vi.advanceTimersByTimeAsync(12 * HOUR);
  expect(published()).toBe(1);
  expect(devices.listWithheld).toBe(false);
  expect(faults).toEqual([]);
});

it('a list that the server cannot take now is offered again, less and less often', async () => {
  wanted = due;
  answer = () => Promise.reject(new ProtocolError('unavailable', 'later'));
  await vi.advanceTimersByTimeAsync(12 * HOUR);
  expect(published()).toBe(1);
  expect(devices.listWithheld).toBe(true);
  expect(faults).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(LIMITS.firstListRetry.value);
  expect(published()).toBe(2);
  await vi.advanceTimersByTimeAsync(24 * HOUR);
  expect(published()).toBeGreaterThan(20);
  expect(published()).toBeLessThan(40);
  answer = () => Promise.resolve({});
  await vi.advanceTimersByTimeAsync(LIMITS.lastListRetry.value);
  expect(devices.listWithheld).toBe(false);
});

it('10,000 events of a server that shows an older list cost a few requests', async () => {
  wanted = due;
  answer = () => Promise.reject(new ProtocolError('device_list_outdated', 'no'));
  const tell = (version: number) => handlers.get(listChanged)!({ userId: own.userId, version });
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => tell(i + 1)));
  expect(published()).toBe(1);
  expect(asked.filter((name) => name === lists.name).length).toBeLessThan(10);
  // Nor is it given the list each time if they come one by one.
  for (let i = 0; i < 100; i += 1) await tell(20_000 + i);
  expect(published()).toBe(1);
  expect(devices.listWithheld).toBe(true);
  expect(faults).toEqual([]);
});

it('a device that was removed, and asks again under its old id, is not approved, and the person reads why', async () => {
  const ask = (deviceId: number) =>
    handlers.get(linkRequested)!({ request: { deviceId, name: 'Laptop', expiresAt: Date.now() + 60_000 } });
  await ask(7);
  removed = [DeviceId.parse(7)];
  await expect(devices.approve(devices.linkRequests[0]!)).rejects.toMatchObject({ code: 'device_removed_before' });
  expect(published()).toBe(0);
  removed = [];
  await devices.approve(devices.linkRequests[0]!);
  expect(published()).toBe(1);
});

it('a change that the server refuses is told at once, one whose answer is lost is not', async () => {
  for (const [error, told] of [
    [new TimeoutError('no answer'), false],
    [new ProtocolError('unavailable', 'later'), true],
  ] as const) {
    wanted = due;
    answer = () => Promise.reject(error);
    const removing = expect(devices.remove(DeviceId.parse(7))).rejects.toBe(error);
    await vi.advanceTimersByTimeAsync(1000);
    await removing;
    expect(devices.listWithheld).toBe(told);
  }
});
