import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROTOCOL, SOCKET_PATH } from '../../protocol/frames.ts';
import { Person } from '../testing/person.ts';
import { startServerProcess, type ServerProcess } from '../testing/server-process.ts';
import { SocketClient } from '../testing/socket-client.ts';
import { HELLO_LIMIT } from '../ws/dispatcher.ts';
import { LIMITS } from '../ws/limits.ts';

/*
 * Strangers who flood from the address that a member of the organisation has too, as behind an office's router. The
 * limits are those of production.
 */

const HELLOS = 15;
/** Far less than the budget's longest wait, and far more than a hello takes on a machine that makes the flood, too. */
const AT_ONCE_MS = LIMITS.longestWaitMs.value / 2;

let dataDir: string;
let server: ServerProcess;
let session: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-shared-'));
  server = await startServerProcess(dataDir, { TEAHOUSE_LOG_LEVEL: 'error' });
  const client = await SocketClient.connect(server.base);
  await client.hello();
  ({ session } = await new Person().signUp(client, await invitation()));
  await client.close();
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

it('a flood of long frames delays no hello with a session', { timeout: 120_000 }, async () => {
  const flood = floodFrames();
  await expect.poll(() => flood.refused, { timeout: 30_000 }).toBeGreaterThan(0);
  const times: number[] = [];
  for (let i = 0; i < HELLOS; i++) {
    const started = performance.now();
    const client = await SocketClient.connect(server.base);
    // The first try: nobody is asked to come back later.
    expect(await client.hello({ session: session as never })).toMatchObject({ resumed: false });
    times.push(performance.now() - started);
    await client.close();
  }
  const before = flood.refused;
  await expect.poll(() => flood.refused, { timeout: 30_000, message: 'the flood goes on' }).toBeGreaterThan(before);
  await flood.stop();
  expect(times.toSorted((a, b) => a - b)[HELLOS >> 1]).toBeLessThan(AT_ONCE_MS);
});

it('ten thousand strangers who come and go keep no session out', { timeout: 180_000 }, async () => {
  let left = 10_000;
  const visitor = async () => {
    while (left-- > 0) await visit(left);
  };
  expect(left).toBeGreaterThan(3 * HELLO_LIMIT.requests);
  const crowd = Promise.all(Array.from({ length: 32 }, visitor));
  let over = false;
  void crowd.then(() => (over = true));
  let hellos = 0;
  for (; !over; hellos++) {
    // Each is the first try: nobody is asked to come back later.
    const client = await SocketClient.connect(server.base);
    expect(await client.hello({ session: session as never })).toMatchObject({ resumed: false });
    await client.close();
    await delay(100);
  }
  await crowd;
  expect(hellos).toBeGreaterThan(5);
  const stranger = await SocketClient.connect(server.base);
  await expect(stranger.hello(), 'strangers have used theirs up').rejects.toMatchObject({ code: 'rate_limited' });
  await stranger.close();
});

interface Flood {
  /** Frames that were refused because the budget of the address was used up. */
  readonly refused: number;
  stop(): Promise<void>;
}

/** Connections that send one long frame after the other; who is cut off comes back. */
function floodFrames(): Flood {
  let [stopped, refused] = [false, 0];
  const frame = JSON.stringify({ id: 1, method: 'accounts.signUp', params: { text: 'x'.repeat(110_000) } });
  const worker = async () => {
    while (!stopped) {
      const client = await SocketClient.connect(server.base);
      let open = true;
      void client.closed.then(() => (open = false));
      while (!stopped && open) {
        if (client.socket.bufferedAmount === 0) client.socket.send(frame);
        await delay(100);
      }
      refused += client.stray.filter((answer) => JSON.stringify(answer).includes('rate_limited')).length;
      client.socket.terminate();
    }
  };
  const working = Promise.all(Array.from({ length: 48 }, worker));
  return {
    get refused() {
      return refused;
    },
    async stop() {
      stopped = true;
      await working;
    },
  };
}

/** A connection that says hello (without a session, or with one that is none) and leaves, or says nothing at all. */
async function visit(turn: number): Promise<void> {
  const socket = connect(Number(new URL(server.base).port), '127.0.0.1').on('error', () => undefined);
  const upgraded = new Promise<void>((resolve) => socket.once('data', () => resolve()).once('close', () => resolve()));
  socket.write(
    `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await upgraded;
  const claims = turn % 2 === 0 ? {} : { session: 'A'.repeat(43) };
  if (turn % 10 > 0)
    await answered(
      socket,
      JSON.stringify({ id: 1, method: 'hello', params: { protocol: PROTOCOL, client: 'x'.repeat(60), ...claims } }),
    );
  socket.destroy();
}

/** Sends a text frame as a client must (RFC 6455 section 5.3, with a mask of zeros) and waits for what comes back. */
async function answered(socket: Socket, text: string): Promise<void> {
  const answer = new Promise<void>((resolve) => socket.once('data', () => resolve()).once('close', () => resolve()));
  const data = Buffer.from(text);
  socket.write(Buffer.concat([Buffer.from([0x81, 0xfe, data.length >> 8, data.length & 255, 0, 0, 0, 0]), data]));
  await answer;
}

async function invitation(): Promise<string> {
  for (;;) {
    const token = /#\/join\/([A-Za-z0-9_-]{43})/.exec(server.output.text)?.[1];
    if (token !== undefined) return token;
    await delay(20);
  }
}
