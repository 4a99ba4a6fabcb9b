import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { sessions } from '../../protocol/accounts.ts';
import { SOCKET_PATH } from '../../protocol/frames.ts';
import { LIMITS as HTTP } from '../http/limits.ts';
import { refusal } from '../testing/expect-code.ts';
import { newId } from '../testing/person.ts';
import { SocketClient } from '../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { LIMITS } from '../ws/limits.ts';

/* What the edge of the server holds: how many connections, how long and how nested frames, and whose names it believes. */

const PATIENT = { timeout: 20_000 };
let server: TestServer;
afterEach(() => server.dispose());
const base = () => `http://127.0.0.1:${server.port}`;

it('limits connections without a session by address, and whoever has one still comes in', async () => {
  server = await startTestServer();
  const ada = await server.join();
  const crowd: SocketClient[] = [];
  for (let i = 0; i < LIMITS.strangersPerAddress.value; i += 50)
    crowd.push(...(await Promise.all(Array.from({ length: 50 }, () => server.connect()))));
  const first = crowd[0];
  const again = await server.connect(ada.session);
  expect((await again.request(sessions, {})).sessions).toHaveLength(1);
  expect(await first?.closed, 'the oldest of the crowd is asked to come back later').toBe(1013);
  const open = () => crowd.filter(({ socket }) => socket.readyState === socket.OPEN).length;
  expect(open()).toBeGreaterThan(LIMITS.strangersPerAddress.value - 5);
  for (const { socket } of crowd) socket.terminate();
});

it('closes connections that have said nothing yet where one address has too many', { timeout: 60_000 }, async () => {
  server = await startTestServer();
  const idle: Socket[] = [];
  for (let i = 0; i < HTTP.plainSocketsPerAddress.value + 20; i++) {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    idle.push(socket.resume());
  }
  await expect.poll(() => idle.filter(({ closed }) => closed).length, PATIENT).toBeGreaterThanOrEqual(20);
  expect((await fetch(`${base()}/healthz`)).status).toBe(200);
  for (const socket of idle) socket.destroy();
});

it('closes a connection whose request does not come to its end', { timeout: 60_000 }, async () => {
  server = await startTestServer();
  const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
  const closed = once(socket.resume(), 'close');
  const drip = setInterval(() => socket.write('x'), 500);
  socket.write('GET / HTTP/1.1\r\nX: ');
  const started = Date.now();
  await closed;
  clearInterval(drip);
  expect(Date.now() - started).toBeLessThan(HTTP.headerMs.value + 20_000);
});

it('reads a frame no longer than its method can need', async () => {
  server = await startTestServer();
  const { client } = await server.join();
  const long = (length: number) => ({ text: 'x'.repeat(length), limit: 1 });
  await refusal('invalid_request', client.raw('contacts.search', long(1000)));
  await refusal('frame_too_large', client.raw('contacts.search', long(100_000)));
  await refusal('frame_too_large', client.raw('accounts.sessions', long(5000)));
  await refusal('frame_too_large', client.raw('no.such.method', long(5000)));
  expect((await client.request(sessions, {})).sessions).toHaveLength(1);
});

it('reads no frame of a method that the sender may not call', async () => {
  server = await startTestServer();
  const stranger = await SocketClient.connect(base());
  const params = { payload: 'A'.repeat(80_000), recipients: [], idempotencyId: newId() };
  await refusal('hello_required', stranger.raw('chat.send', params));
  await stranger.hello();
  await refusal('not_signed_in', stranger.raw('chat.send', params));
});

it.each([
  ['deep', '['.repeat(20_000) + ']'.repeat(20_000)],
  ['deep objects', '{"x":'.repeat(5000) + '1' + '}'.repeat(5000)],
  ['many', `[${'0,'.repeat(60_000)}0]`],
  ['many, behind quotes', `["${'\\"'.repeat(6000)}",${'0,'.repeat(60_000)}0]`],
])('refuses params that are %s before it parses them, and goes on', async (_, params) => {
  server = await startTestServer();
  const { client } = await server.join();
  client.socket.send(`{"id":7000,"method":"chat.send","params":${params}}`);
  await expect.poll(() => client.stray.length, PATIENT).toBe(1);
  // Once it is parsed it is refused for what its fields hold: too late.
  const details = { issues: [{ path: '', problem: 'has too many parts' }] };
  expect(client.stray[0]).toMatchObject({ id: 7000, error: { code: 'invalid_request', details } });
  expect((await client.request(sessions, {})).sessions).toHaveLength(1);
});

it('counts no part inside a text', async () => {
  server = await startTestServer();
  const { client } = await server.join();
  client.socket.send(`{"id":7000,"method":"chat.send","params":"${'\\",[{'.repeat(30_000)}"}`);
  await expect.poll(() => client.stray.length, PATIENT).toBe(1);
  const details = { issues: [{ path: '', problem: expect.not.stringContaining('parts') as string }] };
  expect(client.stray[0]).toMatchObject({ id: 7000, error: { code: 'invalid_request', details } });
});

it('is not told another method behind the one that decides how long a frame may be', async () => {
  server = await startTestServer();
  const { client } = await server.join();
  const text = 'x'.repeat(50_000);
  client.socket.send(`{"id":7000,"method":"chat.send","params":{"text":"${text}"},"method":"contacts.search"}`);
  client.socket.send(`{"params":{"text":"${text}"},"id":7001,"method":"chat.send"}`);
  await expect.poll(() => client.stray.length, PATIENT).toBe(2);
  expect(client.stray).toMatchObject([
    { id: 7000, error: { code: 'invalid_request' } },
    { id: null, error: { code: 'frame_too_large' } },
  ]);
});

it('closes a stranger’s connection that keeps half a frame', async () => {
  server = await startTestServer();
  const client = await server.connect();
  client.socket.send('x'.repeat(LIMITS.strangerUnreadBytes.value + 1000), { fin: false });
  expect(await client.closed).toBe(1006);
});

it('refuses, without reading, what is over the budget of bytes, and says when there is room', async () => {
  server = await startTestServer({ rateLimitFactor: 1 });
  const { client } = await server.join();
  const other = await server.join();
  const params = { payload: 'A'.repeat(80_000), recipients: [], idempotencyId: newId() };
  const count = Math.ceil((LIMITS.burstBytes.value * 1.3) / 80_000);
  const answers = await Promise.allSettled(Array.from({ length: count }, () => client.raw('chat.send', params)));
  const codes = answers.map((answer) => (answer as { reason: { code: string } }).reason.code);
  expect(new Set(codes)).toEqual(new Set(['invalid_request', 'rate_limited']));
  const limited = answers.find((answer) => (answer as { reason: { code: string } }).reason.code === 'rate_limited');
  const { details } = (limited as unknown as { reason: { details: { retryAfterMs: number } } }).reason;
  expect(details.retryAfterMs).toBeGreaterThan(0);
  expect((await other.client.request(sessions, {})).sessions, 'others are not concerned').toHaveLength(1);
});

it('answers for its own names alone', async () => {
  server = await startTestServer({}, { TEAHOUSE_ORIGIN: 'https://tea.example' });
  const status = (host: string) => request(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(await status('tea.example')).toBe(200);
  expect(await status(`127.0.0.1:${server.port}`)).toBe(200);
  expect(await status('evil.example'), 'DNS rebinding').toBe(421);
  expect(await status('tea.example.evil.net')).toBe(421);
  const upgrade = (host: string, origin: string) =>
    request(
      `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  expect(await upgrade('tea.example', 'https://tea.example')).toBe(101);
  expect(await upgrade('evil.example', 'http://evil.example'), 'the host is not believed').toBe(403);
  expect(await upgrade('tea.example', 'app://teahouse')).toBe(101);
  expect(await upgrade('tea.example', 'app://other')).toBe(403);
});

it.each(['ping', 'pong'] as const)('whoever sends one empty %s after the other is cut off at once', async (kind) => {
  server = await startTestServer();
  const [{ client }, member] = [await server.join(), await server.join()];
  for (let i = 0; i <= LIMITS.controlFramesPerSecond.value; i++) client.socket[kind]();
  await client.closed;
  expect((await member.client.request(sessions, {})).sessions).toHaveLength(1);
});

it('further origins are taken at the door, too', async () => {
  const others = 'https://tunnel.example';
  server = await startTestServer({}, { TEAHOUSE_ORIGIN: 'https://tea.example', TEAHOUSE_OTHER_ORIGINS: others });
  const asked = (host: string) => request(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  expect(await asked('tunnel.example')).toBe(200);
  expect(await asked('evil.example')).toBe(421);
});

async function request(text: string): Promise<number> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(text);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(data.toString().split(' ')[1]);
}
