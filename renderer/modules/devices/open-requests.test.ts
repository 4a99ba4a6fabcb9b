import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as wire from '../../../protocol/devices.ts';
import type { LinkRequest } from '../../../protocol/devices.ts';
import { DeviceId } from '../../../protocol/ids.ts';
import type { Vault } from '../../crypto/vault.ts';
import { ADA, DEVICE } from '../calls/testing/calls.ts';
import { FakeConnection } from '../calls/testing/fake-connection.ts';
import { Devices } from './devices.svelte.ts';

/** What is badged and listed of the requests to be linked, on the device that can approve them. */

const key = Buffer.alloc(33, 5).toString('base64');
let connection: FakeConnection;
let devices: Devices;
const faults: unknown[] = [];

function request(deviceId: number, forMs: number): LinkRequest {
  const authenticationKey = Buffer.alloc(32).toString('base64');
  return {
    deviceId: DeviceId.parse(deviceId),
    identityKey: key,
    authenticationKey,
    name: 'Tablet',
    addedAt: 1,
    expiresAt: Date.now() + forMs,
  };
}

const asks = (one: LinkRequest) => connection.emit(wire.linkRequested, { request: one });
const shown = () => devices.linkRequests.map(({ deviceId }) => deviceId);

beforeEach(async () => {
  vi.useFakeTimers();
  faults.length = 0;
  connection = new FakeConnection(ADA);
  devices = new Devices({
    connection,
    vault: {
      ownDevices: () => Promise.resolve({ devices: [], canSign: true }),
      linkCode: ({ deviceId }: LinkRequest) => Promise.resolve(`code of ${deviceId}`),
    } as unknown as Vault,
    sendWaiting: () => Promise.resolve(),
    report: (error) => faults.push(error),
  });
  await devices.load({ userId: ADA, deviceId: DEVICE });
});

afterEach(() => {
  expect(faults).toEqual([]);
  devices.clear();
  vi.useRealTimers();
});

test('one that has lasted its time goes by itself, the others stay', async () => {
  await asks(request(2, 60_000));
  await asks(request(3, 120_000));
  expect(shown()).toEqual([2, 3]);
  await vi.advanceTimersByTimeAsync(60_001);
  expect(shown()).toEqual([3]);
  await vi.advanceTimersByTimeAsync(60_001);
  expect(shown()).toEqual([]);
  expect(vi.getTimerCount(), 'only the renewal of the list is left').toBe(1);
});

test('one whose session has ended goes when somebody looks', async () => {
  await asks(request(2, 60_000));
  connection.answer(wire.linkRequests, () => ({ requests: [] }));
  await devices.lookAgain();
  expect(shown()).toEqual([]);
});

test('without a connection nothing changes, and nothing fails', async () => {
  await asks(request(2, 60_000));
  connection.state = { kind: 'offline', retryAt: null };
  await devices.lookAgain();
  expect(shown()).toEqual([2]);
});

test('one that was denied is gone, and stays so whatever the server lists', async () => {
  const strange = request(2, 60_000);
  await asks(strange);
  devices.deny(devices.linkRequests[0]!);
  expect(shown()).toEqual([]);
  connection.answer(wire.linkRequests, () => ({ requests: [strange, request(3, 60_000)] }));
  await devices.lookAgain();
  expect(shown()).toEqual([3]);
  await asks(strange);
  expect(shown()).toEqual([3]);
  await expect(devices.approve({ ...devices.linkRequests[0]!, code: 'code of 2' })).rejects.toMatchObject({
    code: 'link_request_gone',
  });
});
