import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createInvitations } from '../../protocol/accounts.ts';
import { pending } from '../../protocol/chat.ts';
import { newId, Person } from '../testing/person.ts';
import { startServerProcess, type ServerProcess } from '../testing/server-process.ts';
import { SocketClient } from '../testing/socket-client.ts';

/*
 * A colleague with a client of his own who sends the worst frames that there may be, as fast as they are answered, while
 * somebody else asks for their messages. The limits are those of production. Quiet and attack take turns, so that a busy
 * machine is as busy in both; a machine that is very busy gets more turns.
 */

const TURN_MS = 1000;
const TURNS = 8;
/** What the other's median may at most become. */
const FACTOR = 2;
/** Below this nobody notices, and the clock of a busy machine is no better. Milliseconds. */
const GRAIN_MS = 3;

let dataDir: string;
let server: ServerProcess;
/** The attacker's session. */
let mallory: string;
let ada: SocketClient;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-latency-'));
  server = await startServerProcess(dataDir, { TEAHOUSE_MEDIA_WORKERS: '1', TEAHOUSE_LOG_LEVEL: 'error' });
  const first = await invitationOf(server);
  const { client: admin } = await newcomer(first);
  const asked = { count: 2, role: 'member' as const, validHours: 1, idempotencyId: newId() };
  const { invitations } = await admin.request(createInvitations, asked);
  ({ session: mallory } = await newcomer(invitations[0] ?? ''));
  ({ client: ada } = await newcomer(invitations[1] ?? ''));
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

const id = () => newId();
/** Each is a method, and params as JSON text. */
const ATTACKS: Readonly<Record<string, () => [method: string, params: string]>> = {
  'a call’s capabilities of many small parts': () => [
    'calls.join',
    `{"callId":"${id()}","idempotencyId":"${id()}","rtpCapabilities":{"x":${tree(16_000)}}}`,
  ],
  'the same, in the longest frame': () => [
    'calls.join',
    `{"callId":"${id()}","idempotencyId":"${id()}","rtpCapabilities":{"x":${tree(240_000)}}}`,
  ],
  'a message for a thousand devices': () => [
    'chat.send',
    JSON.stringify({ idempotencyId: id(), payload: 'A'.repeat(80_000), recipients: crowd() }),
  ],
  'a message of nothing but mistakes': () => [
    'chat.send',
    `{"idempotencyId":"${id()}","payload":1,"recipients":[${'{},'.repeat(60)}{}]}`,
  ],
  'prekeys by the hundred': () => [
    'devices.publishPrekeys',
    JSON.stringify({ idempotencyId: id(), prekeys: Array.from({ length: 100 }, () => ({ keyId: 1, publicKey: 'x' })) }),
  ],
};

it.each(Object.keys(ATTACKS))('%s, again and again, keeps nobody else waiting', { timeout: 120_000 }, async (name) => {
  const text = ATTACKS[name]?.() ?? ['', ''];
  const medians: { quiet: number; attacked: number }[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const quiet = await medianOf(TURN_MS);
    const stop = attack(text);
    const attacked = await medianOf(TURN_MS);
    await stop();
    medians.push({ quiet, attacked });
    if (turn > 0 && attacked <= Math.max(quiet * FACTOR, GRAIN_MS)) return;
  }
  expect.fail(`medians in milliseconds: ${JSON.stringify(medians)}`);
});

/** Eight requests under way all the time; who is cut off comes back at once. Returns how to stop it. */
function attack([method, params]: [string, string]): () => Promise<void> {
  let stopped = false;
  const work = async () => {
    while (!stopped) {
      const client = await SocketClient.connect(server.base);
      client.socket.setMaxListeners(50);
      await client.hello({ session: mallory as never });
      const worker = async () => {
        while (!stopped && client.socket.readyState === client.socket.OPEN) {
          await Promise.race([ask(client, method, params), client.closed]);
          await delay(0);
        }
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      client.socket.terminate();
    }
  };
  const working = work();
  return async () => {
    stopped = true;
    await working;
  };
}

let lastId = 1_000_000;
/** As `raw`, of params that are text already: making it must not cost the one who measures. */
async function ask(client: SocketClient, method: string, params: string): Promise<void> {
  const request = ++lastId;
  await new Promise<void>((resolve) => {
    const listen = (data: Buffer) => {
      if (!data.subarray(0, 30).includes(`"id":${request}`)) return;
      client.socket.off('message', listen);
      resolve();
    };
    client.socket.on('message', listen);
    client.socket.send(`{"id":${request},"method":"${method}","params":${params}}`);
  });
}

async function medianOf(durationMs: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const started = performance.now();
    await ada.request(pending, { after: 0, limit: 1 });
    times.push(performance.now() - started);
    await delay(20);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** JSON of about this length with as many parts as it can have. */
function tree(characters: number): string {
  return `[${'[0],'.repeat(characters / 4)}0]`;
}

function crowd() {
  return Array.from({ length: 64 }, () => ({
    userId: newId(),
    listVersion: 1,
    keys: Array.from({ length: 16 }, (_, at) => ({ deviceId: at + 1, type: 'message', body: 'AA==' })),
  }));
}

async function invitationOf({ output }: ServerProcess): Promise<string> {
  for (;;) {
    const token = /#\/join\/([A-Za-z0-9_-]{43})/.exec(output.text)?.[1];
    if (token !== undefined) return token;
    await delay(20);
  }
}

async function newcomer(invitation: string): Promise<{ client: SocketClient; session: string }> {
  const client = await SocketClient.connect(server.base);
  await client.hello();
  const { session } = await new Person().signUp(client, invitation);
  await client.hello({ session: session as never });
  return { client, session };
}
