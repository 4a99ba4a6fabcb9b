import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as wire from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, IdempotencyId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { Vault, Waiting } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import type { DeviceLists } from './device-lists.ts';
import { MissedMessages } from './missed-messages.svelte.ts';
import { Outbox } from './outbox.ts';

const PEER = '00000000-0000-4000-8000-000000000001' as UserId;
const MESSAGE = '00000000-0000-4000-8000-000000000002' as MessageId;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An outbox with one message, and a server that refuses it so many times. */
function sending(refusals: ProtocolError[]) {
  const done: string[] = [];
  const params = { idempotencyId: MESSAGE as string as IdempotencyId, payload: '', recipients: [] };
  const sealWaiting: Vault['sealWaiting'] = async ({ underWay }): Promise<Waiting> => {
    const waits = done.length === 0 && !underWay.includes(MESSAGE);
    return { sealed: waits ? [{ messageId: MESSAGE, params }] : [], next: null, more: false };
  };
  const end = (what: string) => async () => (done.push(what), { messages: [], removed: [], conversations: [] });
  const vault = { sealWaiting, sent: end('sent'), sendFailed: end('failed') } as unknown as Vault;
  const request = async () => {
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    return { position: 1 };
  };
  const connection = { state: { kind: 'online' }, welcome: { protocol: 2 }, request } as unknown as Connection;
  const lists = {} as DeviceLists;
  const report = (error: unknown) => void done.push(String(error));
  const outbox = new Outbox({ connection, vault, lists, apply: () => undefined, report, random: () => 1 });
  outbox.wake(PEER);
  return done;
}

test.each<[string, () => ProtocolError]>([
  ['storage_full', () => new ProtocolError('storage_full', 'x')],
  ['quota_sender', () => new ProtocolError('quota_sender', 'x', { retryAfterMs: 60_000 })],
])(
  'a message that the server has no room for (%s) waits, however long, and is sent when there is',
  async (_, refusal) => {
    const done = sending(Array.from({ length: 30 }, refusal));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(done).toEqual([]);
    await vi.advanceTimersByTimeAsync(40 * 60_000);
    expect(done).toEqual(['sent']);
  },
);

test('a message for somebody whose queue is full is shown as not sent', async () => {
  const done = sending([new ProtocolError('queue_full', 'x', { users: [PEER] })]);
  await vi.advanceTimersByTimeAsync(100);
  expect(done).toEqual(['failed']);
});

test('what the server did not keep is counted for this device and for the others, until it was read', async () => {
  const devices = [
    { deviceId: 1 as DeviceId, count: 3 },
    { deviceId: 2 as DeviceId, count: 4 },
    { deviceId: 3 as DeviceId, count: 5 },
  ];
  const dismissed: unknown[] = [];
  const request = async (method: { name: string }, params: unknown) => {
    if (method.name === wire.expired.name) return { devices };
    return (dismissed.push(params), {});
  };
  const connection = { welcome: { deviceId: 2 }, request } as unknown as Connection;
  const missed = new MissedMessages({ connection, report: () => expect.unreachable() });
  await missed.refresh();
  expect(missed.counts).toEqual({ here: 4, elsewhere: 8 });
  await missed.dismiss();
  expect(dismissed).toEqual(devices.map(({ deviceId }) => ({ deviceId })));
  expect(missed.counts).toEqual({ here: 0, elsewhere: 0 });
});

test('an older server that keeps everything is no fault', async () => {
  const request = async () => Promise.reject(new ProtocolError('unknown_method', 'x'));
  const faults: unknown[] = [];
  const connection = { welcome: null, request } as unknown as Connection;
  const missed = new MissedMessages({ connection, report: (error) => faults.push(error) });
  await missed.refresh();
  expect(faults).toEqual([]);
  expect(missed.counts).toEqual({ here: 0, elsewhere: 0 });
});
