import { expect, test } from 'vitest';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { MessageId, UserId } from '../../../protocol/ids.ts';
import { Refusals } from './refusals.ts';

const MESSAGE = '00000000-0000-4000-8000-000000000002' as MessageId;
const PEER = '00000000-0000-4000-8000-000000000001' as UserId;

/** Refusals of one message by a server that had no room for it eight times. */
async function afterAFullDisk() {
  const failed: MessageId[] = [];
  const sendFailed = async (messageId: MessageId) => {
    failed.push(messageId);
    return { messages: [], removed: [], conversations: [] };
  };
  const refusals = new Refusals({
    connection: {} as never,
    vault: { sendFailed } as never,
    lists: { fetch: async () => undefined } as never,
    apply: () => undefined,
    pause: async () => undefined,
  });
  const refuse = (error: ProtocolError) => refusals.handle({ error, messageId: MESSAGE, recipients: [] });
  for (let i = 0; i < 8; i += 1) await refuse(new ProtocolError('storage_full', 'x'));
  return { refusals, refuse, failed };
}

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
