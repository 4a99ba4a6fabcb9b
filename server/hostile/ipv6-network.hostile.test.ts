import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIMITS as ACCOUNTS } from '../modules/accounts/limits.ts';
import { newId } from '../testing/person.ts';
import { refusal } from '../testing/expect-code.ts';
import { SocketClient } from '../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { LIMITS } from '../ws/limits.ts';

/*
 * One machine has 2^64 IPv6 addresses. Whatever is counted by address counts them as one, and the next network for
 * itself. The machine comes through a proxy that tells its addresses.
 */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ rateLimitFactor: 1 }, { TEAHOUSE_TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => server.dispose());

let last = 0;
const another = () => `2001:db8:1:2:${(++last).toString(16)}:ffff:${(last * 7).toString(16)}:1`;
const NEIGHBOUR = '2001:db8:1:3::1';

async function stranger(address: string): Promise<SocketClient> {
  const client = await SocketClient.connect(`http://127.0.0.1:${server.port}`, { 'x-forwarded-for': address });
  await client.hello();
  return client;
}

/** Asks from another address of the network each time, and returns the code of each answer. */
async function codes(times: number, ask: (client: SocketClient) => Promise<unknown>): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < times; i++) {
    const client = await stranger(another());
    all.push(await codeOf(ask(client)));
    client.socket.terminate();
  }
  return all;
}

const codeOf = async (answer: Promise<unknown>) =>
  answer.then(
    () => 'ok',
    ({ code }: { code: string }) => code,
  );

it('tries no more links to set a password anew than one address', async () => {
  const ask = (client: SocketClient) => client.raw('accounts.checkReset', { reset: 'A'.repeat(43) });
  const all = await codes(61, ask);
  expect(new Set(all.slice(0, 60))).toEqual(new Set(['reset_invalid']));
  expect(all[60]).toBe('rate_limited');
  await refusal('reset_invalid', ask(await stranger(NEIGHBOUR)));
});

it('guesses no more passwords than one address', async () => {
  const guess = (client: SocketClient) =>
    client.raw('accounts.signIn', { username: 'nobody', password: 'wrong password', idempotencyId: newId() });
  const most = ACCOUNTS.failuresByAccountAndAddress.value;
  const all = await codes(most + 1, guess);
  expect(new Set(all.slice(0, most))).toEqual(new Set(['credentials_invalid']));
  expect(all[most]).toBe('rate_limited');
  await refusal('credentials_invalid', guess(await stranger(NEIGHBOUR)));
});

it('holds no more connections without a session than one address', async () => {
  const neighbour = await stranger(NEIGHBOUR);
  const crowd: SocketClient[] = [];
  for (let i = 0; i < LIMITS.strangersPerAddress.value + 10; i++) crowd.push(await stranger(another()));
  expect(await crowd[0]?.closed).toBe(1013);
  expect(await crowd[9]?.closed).toBe(1013);
  expect(neighbour.socket.readyState).toBe(neighbour.socket.OPEN);
  for (const { socket } of crowd) socket.terminate();
});

it('has one budget of bytes', async () => {
  const text = 'x'.repeat(100_000);
  const send = (client: SocketClient) => codeOf(client.raw('accounts.signUp', text));
  const sendTen = async (client: SocketClient) => Promise.all(Array.from({ length: 10 }, () => send(client)));
  let sent = 0;
  for (let refused = false; !refused && sent < 2 * LIMITS.burstBytes.value; sent += 10 * text.length) {
    const client = await stranger(another());
    refused = (await sendTen(client)).includes('rate_limited');
    client.socket.terminate();
  }
  expect(sent).toBeGreaterThan(LIMITS.burstBytes.value / 2);
  expect(sent).toBeLessThan(2 * LIMITS.burstBytes.value);
  expect(await send(await stranger(NEIGHBOUR))).toBe('invalid_request');
});
