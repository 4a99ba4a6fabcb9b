import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as wire from '../../../protocol/chat.ts';
import { fromWire, ProtocolError, WireError } from '../../../protocol/errors.ts';
import type { DeviceId, IdempotencyId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { Vault, Waiting } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import type { DeviceLists } from './device-lists.ts';
import { MissedMessages } from './missed-messages.svelte.ts';
import { Outbox } from './outbox.ts';

const PEER = '00000000-0000-4000-8000-000000000001' as UserId;
const FIRST = '00000000-0000-4000-8000-000000000002' as MessageId;
const SECOND = '00000000-0000-4000-8000-000000000003' as MessageId;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An outbox with two messages, and a server that refuses the first so many times and never answers the second. */
function sending(refusals: ProtocolError[]) {
  const done: string[] = [];
  const sealWaiting: Vault['sealWaiting'] = async ({ underWay }): Promise<Waiting> => {
    const messageId = done.length === 0 ? FIRST : SECOND;
    const params = { idempotencyId: messageId as string as IdempotencyId, payload: '', recipients: [] };
    return { sealed: underWay.includes(messageId) ? [] : [{ messageId, params }], next: null, more: false };
  };
  const NONE = { messages: [], removed: [], conversations: [] };
  const sent = async () => (done.push('sent'), NONE);
  const sendFailed: Vault['sendFailed'] = async (_, reason) => (done.push(`failed: ${reason}`), NONE);
  const vault = { sealWaiting, sent, sendFailed } as unknown as Vault;
  const request = async () => {
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    if (done.length > 0) return new Promise(() => undefined);
    return { position: 1 };
  };
  const connection = { state: { kind: 'online' }, welcome: { protocol: 2 }, request } as unknown as Connection;
  const lists = {} as DeviceLists;
  const report = (error: unknown) => void done.push(String(error));
  const held: (string | null)[] = [];
  const heldBack = (conversation: UserId, reason: string | null) => void (conversation === PEER && held.push(reason));
  const outbox = new Outbox({ connection, vault, lists, apply: () => undefined, heldBack, report, random: () => 1 });
  outbox.wake(PEER);
  return { done, held };
}

test.each<[string, () => ProtocolError]>([
  ['storage_full', () => new ProtocolError('storage_full', 'x')],
  ['quota_sender', () => new ProtocolError('quota_sender', 'x', { retryAfterMs: 60_000 })],
  ['unavailable', () => new ProtocolError('unavailable', 'x')],
  ['internal', () => new ProtocolError('internal', 'x')],
  ['rate_limited', () => new ProtocolError('rate_limited', 'x', { retryAfterMs: 60_000 })],
  // As a code of a newer server is read: something failed, and nothing says that it is the message.
  [
    'one of a newer server',
    () => fromWire(WireError.parse({ code: 'quota_of_the_future', message: 'x', details: { retryAfterMs: 1 } })),
  ],
])(
  'a message that the server does not take for now (%s) waits, however long, and is sent when there is',
  async (_, refusal) => {
    const { done, held } = sending(Array.from({ length: 30 }, refusal));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(done).toEqual([]);
    // What the person reads meanwhile.
    expect(held.at(-1)).toBe(refusal().code);
    await vi.advanceTimersByTimeAsync(40 * 60_000);
    expect(done).toEqual(['sent']);
    expect(held.at(-1)).toBeNull();
  },
);

test.each([
  new ProtocolError('queue_full', 'x', { users: [PEER] }),
  new ProtocolError('user_unknown', 'x'),
  new ProtocolError('forbidden', 'x'),
])('a message that the server does not take ($code) is shown as not sent, with that reason', async (refusal) => {
  const { done } = sending(Array.from({ length: 8 }, () => refusal));
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(done[0]).toBe(`failed: ${refusal.code}`);
});

test('one that waited for room and is then refused does not leave the others waiting in words', async () => {
  const { done, held } = sending([
    new ProtocolError('storage_full', 'x'),
    new ProtocolError('queue_full', 'x', { users: [PEER] }),
  ]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toEqual(['failed: queue_full']);
  expect(held[0]).toBe('storage_full');
  expect(held.at(-1)).toBeNull();
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

test('what changes while the app runs is asked about at once, and one time for many events', async () => {
  let count = 0;
  let asked = 0;
  const request = async () => ((asked += 1), { devices: count === 0 ? [] : [{ deviceId: 2 as DeviceId, count }] });
  const connection = { welcome: { deviceId: 2 }, request } as unknown as Connection;
  const missed = new MissedMessages({ connection, report: () => expect.unreachable() });
  count = 3;
  for (let i = 0; i < 10_000; i += 1) missed.told();
  await vi.advanceTimersByTimeAsync(1000);
  expect([missed.counts.here, asked]).toEqual([3, 1]);
  count = 0;
  missed.told();
  await vi.advanceTimersByTimeAsync(1000);
  expect(missed.counts.here).toBe(0);
  missed.told();
  missed.clear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toBe(2);
});
