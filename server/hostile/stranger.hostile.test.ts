import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServerProcess, type ServerProcess } from '../testing/server-process.ts';
import { SocketClient } from '../testing/socket-client.ts';
import { strangeBytes } from './strange-bytes.ts';

/*
 * What a stranger may send to the port: conversations that are half finished, reset, or no HTTP and no WebSocket at
 * all. The server lives on, answers others meanwhile, and is left with no memory and no sockets of them.
 */

const CONVERSATIONS = 10_000;
/** After these a process has most of what it ever takes: the collector lets it grow, and stops at some 410 MB in all. */
const WARM_UP = 5_000;
const AT_ONCE = 64;
/** After the warm-up it was 70 MB. Were 12 kB left behind by each conversation, it would be more. */
const MAX_GROWTH_BYTES = 120 * 1024 * 1024;

let dataDir: string;
let server: ServerProcess;
let port: number;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-stranger-'));
  server = await startServerProcess(dataDir, { TEAHOUSE_LOG_LEVEL: 'error' });
  port = Number(new URL(server.base).port);
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

it('takes ten thousand broken conversations, answering others all the while', async () => {
  await conversations(WARM_UP);
  const before = await usage();
  let stop = false;
  const polite = (async () => {
    let answered = 0;
    for (; !stop; answered++) {
      const client = await SocketClient.connect(server.base);
      await client.hello();
      await client.close();
      await delay(20);
    }
    return answered;
  })();
  await conversations(CONVERSATIONS);
  stop = true;
  expect(await polite).toBeGreaterThan(10);
  expect([server.process.exitCode, server.process.signalCode]).toEqual([null, null]);
  await expect.poll(async () => (await usage()).files - before.files, { timeout: 30_000 }).toBeLessThan(50);
  expect((await usage()).memory - before.memory).toBeLessThan(MAX_GROWTH_BYTES);
  expect(server.output.log, 'nothing that a stranger does is a fault of the server').toBe('');
}, 300_000);

async function conversations(count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await conversation();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** One conversation: some pieces with or without a pause, and one of the ways to end. */
async function conversation(): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: Math.random() < 0.3 });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  if (Math.random() < 0.7) socket.resume();
  for (const piece of strangeBytes(port)) {
    socket.write(piece);
    if (Math.random() < 0.2) await delay(Math.random() * 5);
  }
  if (Math.random() < 0.5) await delay(Math.random() * 20);
  finish(socket);
  await Promise.race([closed, delay(1000)]);
  socket.destroy();
}

function finish(socket: Socket): void {
  const way = Math.random();
  if (way < 0.7) socket.resetAndDestroy();
  else if (way < 0.85) socket.end();
  else socket.destroy();
}

async function usage(): Promise<{ memory: number; files: number }> {
  const text = await (await fetch(`${server.base}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
  return { memory: value('process_resident_memory_bytes'), files: value('process_open_fds') };
}
