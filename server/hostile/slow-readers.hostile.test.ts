import { randomBytes } from 'node:crypto';
import { afterAll, expect, it, vi } from 'vitest';
import { sessions } from '../../protocol/accounts.ts';
import { MAX_PAYLOAD_BYTES, pending } from '../../protocol/chat.ts';
import { newId, sendTo } from '../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';
import type { LIMITS as Limits } from '../ws/limits.ts';

/* Many who read nothing, each within its own bound: together they are held to what the server's memory can bear. */

// Half a gigabyte is too much for a test.
vi.mock('../ws/limits.ts', async (original) => {
  const { LIMITS } = await original<{ LIMITS: typeof Limits }>();
  const value = 8 * 1024 * 1024;
  return {
    LIMITS: {
      ...LIMITS,
      bufferedBytes: { ...LIMITS.bufferedBytes, value: Infinity },
      totalBufferedBytes: { ...LIMITS.totalBufferedBytes, value },
    },
  };
});

let server: TestServer;
afterAll(() => server.dispose());

it('where all together hold too much, those who hold most are cut off', { timeout: 120_000 }, async () => {
  server = await startTestServer();
  const [ada, most, less] = [await server.join(), await server.join(), await server.join()];
  const payload = randomBytes(MAX_PAYLOAD_BYTES - 16).toString('base64');
  for (const { client, person } of [most, less]) {
    for (let i = 0; i < 2; i++) await sendTo(ada.client, person, newId(), payload);
    client.socket.pause();
  }
  const ask = ({ client }: Member) => void client.raw(pending.name, { after: 0, limit: 100 }).catch(() => undefined);
  // In turns, so that there is somebody to cut off at each look.
  for (let i = 0; i < 1000 && (await connections()) === 3; i++) {
    ask(most);
    if (i % 8 === 0) ask(less);
  }
  await expect.poll(connections, { timeout: 20_000 }).toBe(2);
  expect((await ada.client.request(sessions, {})).sessions).toHaveLength(1);
  less.client.socket.resume();
  expect((await less.client.request(sessions, {})).sessions, 'who held little is connected still').toHaveLength(1);
  most.client.socket.terminate();
});

async function connections(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  return Number(/^teahouse_connections (\S+)/m.exec(text)?.[1]);
}
