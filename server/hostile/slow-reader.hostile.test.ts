import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { sessions } from '../../protocol/accounts.ts';
import { delivered, MAX_PAYLOAD_BYTES, pending } from '../../protocol/chat.ts';
import { SOCKET_PATH } from '../../protocol/frames.ts';
import { resynchronise } from '../../protocol/hello.ts';
import { newId, sendTo } from '../testing/person.ts';
import type { SocketClient } from '../testing/socket-client.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';
import { LIMITS } from '../ws/limits.ts';

/* Who has a session and reads nothing of what it is sent: what waits for it is bounded, and it comes back to all of it. */

const PATIENT = { timeout: 20_000 };
const PAYLOAD = randomBytes(MAX_PAYLOAD_BYTES - 16).toString('base64');
/** What the system takes on both sides of a connection before the server has to keep anything. */
const SYSTEM_BYTES = 24 * 1024 * 1024;
const MOST = Math.ceil((LIMITS.bufferedBytes.value + SYSTEM_BYTES) / PAYLOAD.length);

let server: TestServer;
afterEach(() => server.dispose());

it(
  'a client that reads slowly gets so many messages and no more, is told when it has read them, and misses none',
  { timeout: 120_000 },
  async () => {
    server = await startTestServer();
    const [ada, slow, bob] = [await server.join(), await server.join(), await server.join()];
    slow.client.socket.pause();
    const seqs: number[] = [];
    slow.client.onEvent = (event) => {
      slow.client.events.push(event);
      if (event.event === delivered.name || event.event === resynchronise.name) seqs.push(event.seq);
    };
    for (let sent = 0; sent < MOST; sent++) {
      await sendTo(ada.client, slow.person, newId(), PAYLOAD);
      if (sent % 20 > 0) continue;
      // Meanwhile, others get theirs.
      await sendTo(ada.client, bob.person);
      await bob.client.next(delivered);
    }
    expect(await connections(), 'nobody is cut off').toBe(3);
    slow.client.socket.resume();
    await slow.client.next(resynchronise);
    const live = slow.client.events.filter(({ event }) => event === delivered.name).length;
    expect(live * PAYLOAD.length).toBeGreaterThan(LIMITS.slowBytes.value);
    expect((live - 1) * PAYLOAD.length).toBeLessThan(LIMITS.slowBytes.value + SYSTEM_BYTES);
    expect(live).toBeLessThan(MOST);
    expect(await queueOf(slow.client)).toBe(MOST);
    // What comes after that is sent as it comes, and the numbers of the events have no gap.
    await sendTo(ada.client, slow.person);
    await expect.poll(() => seqs.length, PATIENT).toBe(live + 2);
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
  },
);

it('a client that reads no answers is cut off', { timeout: 120_000 }, async () => {
  server = await startTestServer();
  const [ada, slow] = [await server.join(), await server.join()];
  for (let i = 0; i < 3; i++) await sendTo(ada.client, slow.person, newId(), PAYLOAD);
  slow.client.socket.pause();
  for (let i = 0; i < MOST && (await connections()) === 2; i++)
    void slow.client.raw(pending.name, { after: 0, limit: 100 }).catch(() => undefined);
  await expect.poll(connections, PATIENT).toBe(1);
  expect((await ada.client.request(sessions, {})).sessions).toHaveLength(1);
  const again = await server.connect(slow.session);
  expect(await queueOf(again)).toBe(3);
  slow.client.socket.terminate();
});

it.each([
  ['fragments', fragments, LIMITS.fragments.value],
  ['empty fragments', emptyFragments, LIMITS.fragments.value],
])('a frame may come in some %s, but not in any number', async (_, send, most) => {
  server = await startTestServer();
  const [many, few]: [Member, Member] = [await server.join(), await server.join()];
  send(few.client, most - 1);
  await expect.poll(() => few.client.stray.length, PATIENT).toBe(1);
  expect(few.client.stray[0]).toMatchObject({ id: 7000, result: {} });
  send(many.client, most * 2);
  expect(await many.client.closed).toBe(1008);
  expect(many.client.stray).toEqual([]);
  expect((await few.client.request(sessions, {})).sessions).toHaveLength(1);
});

it('a frame that comes one byte at a time is given up, and nobody else waits', { timeout: 120_000 }, async () => {
  server = await startTestServer();
  const bob = await server.join();
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true }).on('error', () => undefined);
  const closed = once(socket.resume(), 'close').then(() => true);
  socket.write(
    `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  // A text frame of 50,000 bytes with a mask of zeros (RFC 6455 section 5.2).
  const length = 50_000;
  socket.write(Buffer.from([0x81, 0xfe, length >> 8, length & 255, 0, 0, 0, 0]));
  let sent = 0;
  for (; sent < length && !socket.closed; sent++) {
    socket.write(' ');
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await closed).toBe(true);
  expect(sent).toBeLessThan(length);
  expect((await bob.client.request(sessions, {})).sessions).toHaveLength(1);
});

const REQUEST = JSON.stringify({ id: 7000, method: sessions.name, params: {} });

/** A request in so many fragments, of a byte each until it is sent, with spaces behind it. */
function fragments({ socket }: SocketClient, count: number): void {
  const text = REQUEST.padEnd(count, ' ');
  for (let i = 0; i < count; i++) socket.send(text[i] ?? '', { fin: i === count - 1 });
}

function emptyFragments({ socket }: SocketClient, count: number): void {
  socket.send(REQUEST, { fin: false });
  for (let i = 1; i < count; i++) socket.send('', { fin: i === count - 1 });
}

/** How many messages wait for a device. */
async function queueOf(client: SocketClient): Promise<number> {
  let [count, after] = [0, 0];
  for (;;) {
    const { envelopes, more } = await client.request(pending, { after, limit: 100 });
    count += envelopes.length;
    after = envelopes.at(-1)?.queueId ?? after;
    if (!more) return count;
  }
}

async function connections(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  return Number(/^teahouse_connections (\S+)/m.exec(text)?.[1]);
}
