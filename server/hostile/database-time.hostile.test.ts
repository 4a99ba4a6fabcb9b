import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acknowledge, pending } from '../../protocol/chat.ts';
import { takeBundles } from '../../protocol/devices.ts';
import { ChatStore } from '../modules/chat/index.ts';
import { newId } from '../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';

/*
 * A member sends hundreds of requests in one write, each of which is cheap to send and dear to answer. Everybody else is
 * answered in the midst of them. The limits are those of production. Order is what is asked here, and no clock.
 */

const PAYLOAD_BYTES = 29;

let server: TestServer;
let mallory: Member;
let ada: Member;
beforeAll(async () => {
  server = await startTestServer({ rateLimitFactor: 1 });
  mallory = await server.join();
  ada = await server.join();
  await fillQueue(mallory);
});
afterAll(() => server.dispose());

async function fillQueue({ person }: Member): Promise<void> {
  const chatStore = new ChatStore(server.store.kind);
  const { deviceId } = person.device.public;
  const messages: unknown[] = [];
  const queue: unknown[] = [];
  for (let position = 1; position <= 101; position++) {
    messages.push(position, randomUUID(), person.userId, deviceId, randomBytes(PAYLOAD_BYTES));
    queue.push(person.userId, deviceId, position, 'message', Buffer.of(1), PAYLOAD_BYTES + 1);
  }
  await server.store.transaction((trx) => chatStore.insertMessages(trx, messages, queue));
}

const invented = () => 1e15 + Math.floor(Math.random() * 1e12);
const ATTACKS: Readonly<Record<string, { count: number; params: () => unknown; method: string }>> = {
  // As many answers as may wait for one connection, since this process has both ends of it.
  'a full queue, again and again': { count: 150, method: pending.name, params: () => ({ after: 0, limit: 100 }) },
  'acknowledgements of what was never there': {
    count: 256,
    method: acknowledge.name,
    params: () => ({ queueIds: Array.from({ length: 500 }, invented) }),
  },
  'the keys of devices that nobody has': {
    count: 256,
    method: takeBundles.name,
    params: () => ({
      idempotencyId: newId(),
      devices: Array.from({ length: 64 }, () => ({ userId: newId(), deviceId: 7 })),
    }),
  },
};

it.each(Object.keys(ATTACKS))('%s: others are answered in between', { timeout: 60_000 }, async (name) => {
  const attack = ATTACKS[name];
  if (!attack) throw new Error('there is no such attack');
  const { count, method, params } = attack;
  const frames = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ id: 1_000_000 + index, method, params: params() }),
  );
  let answered = 0;
  const countAnswer = (data: Buffer) => {
    if (data.subarray(0, 8).includes('"id":10')) answered += 1;
  };
  mallory.client.socket.on('message', countAnswer);
  const isOpen = () => mallory.client.socket.readyState === WebSocket.OPEN;
  for (const frame of frames) mallory.client.socket.send(frame);
  while (answered === 0 && isOpen()) await delay(0);
  await ada.client.request(pending, { after: 0, limit: 1 });
  const before = answered;
  while (answered < count && isOpen()) await delay(1);
  mallory.client.socket.off('message', countAnswer);
  expect(answered).toBe(count);
  expect(before).toBeLessThan(count);
});
