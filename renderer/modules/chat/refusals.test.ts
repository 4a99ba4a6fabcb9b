import { expect, test } from 'vitest';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { MessageId, UserId } from '../../../protocol/ids.ts';
import { Refusals } from './refusals.ts';

const MESSAGE = '00000000-0000-4000-8000-000000000002' as MessageId;
const PEER = '00000000-0000-4000-8000-000000000001' as UserId;

/** Refusals of one message by a server that had no room for it eight times. */
async function afterAFullDisk() {
  const setup = refusalsOf();
  for (let i = 0; i < 8; i += 1) await setup.refuse(new ProtocolError('storage_full', 'x'));
  return setup;
}

/** `own`: what this device knows of its account's devices. */
function refusalsOf(
  own: { readonly removed: readonly number[]; readonly unpublished: boolean } = NOTHING_REMOVED,
  fetch: () => Promise<void> = async () => undefined,
) {
  const failed: MessageId[] = [];
  const held: (string | null)[] = [];
  const waits: number[] = [];
  const sendFailed = async (messageId: MessageId) => {
    failed.push(messageId);
    return { messages: [], removed: [], conversations: [] };
  };
  const refusals = new Refusals({
    connection: {} as never,
    vault: { sendFailed, ownDevices: () => Promise.resolve(own) } as never,
    lists: { fetch } as never,
    apply: () => undefined,
    heldBack: (reason) => void held.push(reason),
    pause: async (ms) => void waits.push(ms),
  });
  const refuse = (error: ProtocolError) => refusals.handle({ error, messageId: MESSAGE, recipients: [] });
  return { refusals, refuse, failed, held, waits };
}

const NOTHING_REMOVED = { removed: [], unpublished: false };

test.each([
  new ProtocolError('rate_limited', 'x', { retryAfterMs: 1 }),
  new ProtocolError('devices_stale', 'x', { missing: [], gone: [] }),
  new ProtocolError('unavailable', 'x'),
])('after a full disk one more refusal ($code) gives no message up', async (error) => {
  const { refuse, failed } = await afterAFullDisk();
  await refuse(error);
  expect(failed).toEqual([]);
});

test('nor does a repair that works', async () => {
  const { refusals, failed } = await afterAFullDisk();
  await refusals.provide({ kind: 'need-lists', messageId: MESSAGE, users: [PEER] });
  expect(failed).toEqual([]);
});

test('copies for a device that was removed, in a list that the server has not taken, are no failures: messages wait', async () => {
  const { refusals, refuse, failed, held } = refusalsOf({ removed: [7], unpublished: true });
  const stale = (deviceId: number) =>
    new ProtocolError('devices_stale', 'x', { missing: [{ userId: PEER, deviceId }], gone: [] });
  for (let i = 0; i < 20; i += 1) await refuse(stale(7));
  expect(failed).toEqual([]);
  expect(new Set(held)).toEqual(new Set(['device_list_unpublished']));
  refusals.succeeded();
  expect(held.at(-1)).toBe(null);
  // Of any other device it is one.
  for (let i = 0; i < 8; i += 1) await refuse(stale(8));
  expect(failed).toEqual([MESSAGE]);
});

test('a server that refuses the question for device lists as stale, too, is asked again after a pause', async () => {
  let asked = 0;
  const stale = new ProtocolError('devices_stale', 'x', { missing: [{ userId: PEER, deviceId: 7 }], gone: [] });
  const { refuse, failed, waits } = refusalsOf({ removed: [7], unpublished: true }, () => {
    asked += 1;
    return asked < 100 ? Promise.reject(stale) : Promise.resolve();
  });
  await refuse(stale);
  expect(asked).toBe(1);
  for (let i = 0; i < 7; i += 1) await refuse(stale);
  expect([asked, waits.length]).toEqual([8, 8]);
  expect(failed).toEqual([]);
});
