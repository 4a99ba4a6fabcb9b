import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

/* Requests in one packet, as no browser sends them: thousands would be answered before anybody else is. */

const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

/** `answers`: how many requests were answered well so far. */
async function open(): Promise<{ socket: Socket; answers: () => number; closed: Promise<unknown> }> {
  const socket = connect({ port: server.port, host: '127.0.0.1' }).on('error', () => undefined);
  const closed = once(socket, 'close');
  let text = '';
  socket.on('data', (data: Buffer) => void (text += data.toString('latin1')));
  await once(socket, 'connect');
  return { socket, answers: () => text.split('HTTP/1.1 200 ').length - 1, closed };
}

it('a connection on which requests come before the answer to the one ahead is ended, and few are answered', async () => {
  const { socket, answers, closed } = await open();
  socket.write(REQUEST.repeat(1000));
  await closed;
  expect(answers()).toBeLessThanOrEqual(1);
});

it('one request after the other is answered on one connection, and other people are not concerned', async () => {
  const [good, bad] = [await open(), await open()];
  for (let asked = 1; asked <= 20; asked++) {
    good.socket.write(REQUEST);
    if (asked === 10) bad.socket.write(REQUEST.repeat(50));
    await expect.poll(good.answers, { timeout: 20_000, interval: 2 }).toBe(asked);
  }
  await bad.closed;
  good.socket.destroy();
});
