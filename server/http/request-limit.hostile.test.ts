import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { LIMITS } from './limits.ts';

let server: TestServer;
afterEach(() => server.dispose());

/** So that tests reach the limit. */
const NARROW = 0.001;
const BURST = LIMITS.requestsOfAddressAtOnce.value * NARROW;

const start = async (factor: number) =>
  (server = await startTestServer({ rateLimitFactor: factor }, { TEAHOUSE_TRUSTED_PROXIES: '127.0.0.1' }));

async function ask(from: string, path = '/healthz'): Promise<IncomingMessage> {
  const request = get({ port: server.port, host: '127.0.0.1', path, headers: { 'x-forwarded-for': from } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'close');
  return response;
}

it('an address that asks for too much is told when to come back, and nobody else is', async () => {
  await start(NARROW);
  const paths = ['/', '/healthz', '/readyz', '/metrics', '/nothing'];
  for (let i = 0; i < BURST; i++) {
    const { statusCode } = await ask(`2001:db8:1:2::${i.toString(16)}`, paths[i % paths.length]);
    expect(statusCode).not.toBe(429);
  }
  // What has drained meanwhile may be asked for besides.
  let refused = await ask('2001:db8:1:2::ffff', '/nothing');
  for (let i = 0; i < BURST / 2 && refused.statusCode !== 429; i++) refused = await ask('2001:db8:1:2::ffff');
  expect(refused.statusCode).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused.headers.connection).toBe('close');
  expect((await ask('2001:db8:1:3::1')).statusCode).toBe(200);
  expect((await ask('203.0.113.1')).statusCode).toBe(200);
});

it('however much an address asked for, it waits no longer than the longest wait', async () => {
  await start(NARROW);
  let last: IncomingMessage | null = null;
  for (let i = 0; i < 3 * BURST; i++) last = await ask('203.0.113.1');
  expect(last?.statusCode).toBe(429);
  const seconds = Number(last?.headers['retry-after']);
  expect(seconds).toBeLessThanOrEqual(LIMITS.longestWaitMs.value / 1000);
  await delay(seconds * 1000 + 50);
  expect((await ask('203.0.113.1')).statusCode).toBe(200);
});

it('a connection is closed after so many requests, and a moment after the last one', async () => {
  await start(1000);
  const most = LIMITS.requestsPerSocket.value;
  const [busy, idle] = [answersOf(most + 50), answersOf(1)];
  expect(await busy).toEqual({ ok: most });
  const started = performance.now();
  expect(await idle).toEqual({ ok: 1 });
  expect(performance.now() - started).toBeLessThan(LIMITS.idleMs.value);
}, 60_000);

/** Sends so many requests on one connection, one after the other, and waits until the server closes it. */
async function answersOf(requests: number): Promise<{ ok: number }> {
  const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
  const ask = () => void socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  let text = '';
  let [asked, ok] = [1, 0];
  socket.on('data', (data: Buffer) => {
    text += data.toString();
    // Whole: the answer's body is of one line.
    if (!text.includes('}')) return;
    if (text.startsWith('HTTP/1.1 200 ')) ok += 1;
    text = '';
    if (asked++ < requests) ask();
  });
  ask();
  await once(socket, 'close');
  return { ok };
}
