import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createInvitations, signOut } from '../../protocol/accounts.ts';
import { pending } from '../../protocol/chat.ts';
import { METHODS } from '../../protocol/contract.ts';
import { PROTOCOL } from '../../protocol/frames.ts';
import { hello } from '../../protocol/hello.ts';
import type { Method } from '../../protocol/method.ts';
import { Flood, type FloodOptions, type Outcomes } from '../testing/flood.ts';
import { largestAsk, mostParts, smallAsk, wrongInTheEnd, type Ask } from '../testing/largest-frames.ts';
import { newId, Person } from '../testing/person.ts';
import { startServerProcess, type ServerProcess } from '../testing/server-process.ts';
import { SocketClient } from '../testing/socket-client.ts';

/*
 * A colleague with a client of his own floods the server, while somebody else asks for their messages. The limits are
 * those of production. A method that is added is one of the flood by being in the contract.
 *
 * Within the limits, he has not used up anything before, and asks one thing after the other: no answer may take so long
 * that the others notice. Beyond them, he has used everything up, and goes on: nothing is left to him that they notice.
 *
 * Quiet and attack take turns, so that a busy machine is as busy in both; a machine that is very busy gets more turns.
 */

const TURN_MS = 700;
const TURNS = 8;
/** Within a turn, so that a method that takes long is most of its group's time. */
const GROUP = 6;
/** What the other's median may at most become. */
const FACTOR = 2;
/** Below this nobody notices, and the clock of a busy machine is no better. Milliseconds. */
const GRAIN_MS = 2;

/** Behind the proxy: signing up from there is refused soon, and newcomers come from elsewhere. */
const ADDRESS_OF_ATTACKS = { 'x-forwarded-for': '203.0.113.7' };

type Way = Pick<FloodOptions, 'underWay' | 'pauseMs'>;
const WITHIN: Way = { underWay: 1, pauseMs: 5 };
const BEYOND: Way = { underWay: 128, pauseMs: 0 };
/** In which a flood uses up what it may have at once, and what it has regained in a quiet turn. */
const USING_UP_MS = 2000;
const USING_UP_AGAIN_MS = 500;

let dataDir: string;
let server: ServerProcess;
let ada: SocketClient;
let invitations: string[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-latency-'));
  server = await startServerProcess(dataDir, {
    TEAHOUSE_MEDIA_WORKERS: '1',
    TEAHOUSE_LOG_LEVEL: 'error',
    TEAHOUSE_TRUSTED_PROXIES: '127.0.0.1',
  });
  const admin = await newcomer(await invitationOf(server));
  const asked = { count: 200, role: 'admin' as const, validHours: 1, idempotencyId: newId() };
  ({ invitations } = await admin.client.request(createInvitations, asked));
  ({ client: ada } = await newcomer());
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

const all: readonly Method[] = METHODS;
const GROUPS = Array.from({ length: Math.ceil(all.length / GROUP) }, (_, at) =>
  // Taken in turns, so that those of one module are in several.
  all.filter((_method, index) => index % Math.ceil(all.length / GROUP) === at),
).map((group) => [group.map(({ name }) => name).join(', '), group] as const);

it.each(GROUPS)('within the limits, nobody waits for %s', { timeout: 120_000 }, async (_names, group) => {
  await expectNoWait(async (measure) => {
    const flood = await floodOf((await newcomer()).session, group, [largestAsk, wrongInTheEnd, mostParts], WITHIN);
    const attacked = await measure();
    const outcomes = await flood.stop();
    return { attacked, outcomes, isFlood: answered(outcomes) > 0 };
  });
});

it.each([
  ['long frames', [largestAsk, wrongInTheEnd, mostParts]],
  ['short frames', [smallAsk]],
] as const)('beyond the limits, nobody waits for %s of all methods', { timeout: 120_000 }, async (_what, kinds) => {
  const { session } = await newcomer();
  let usingUpMs = USING_UP_MS;
  await expectNoWait(async (measure) => {
    const flood = await floodOf(session, all, kinds, BEYOND);
    await delay(usingUpMs);
    usingUpMs = USING_UP_AGAIN_MS;
    const attacked = await measure();
    const outcomes = await flood.stop();
    return { attacked, outcomes, isFlood: (outcomes.rate_limited ?? 0) > 0 };
  });
});

interface Turn {
  readonly attacked: number;
  readonly outcomes: Outcomes;
  /** Whether what was to be attacked with came to that. */
  readonly isFlood: boolean;
}

async function expectNoWait(attackFor: (measure: () => Promise<number>) => Promise<Turn>): Promise<void> {
  const turns: (Turn & { quiet: number })[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const quiet = await medianOf(TURN_MS);
    const attack = await attackFor(() => medianOf(TURN_MS));
    turns.push({ quiet, ...attack });
    if (attack.isFlood && attack.attacked <= Math.max(quiet * FACTOR, GRAIN_MS)) return;
  }
  expect.fail(`medians in milliseconds, and what was answered: ${JSON.stringify(turns)}`);
}

type Kind = (method: Method) => Ask;

function floodOf(session: string, methods: readonly Method[], kinds: readonly Kind[], way: Way): Promise<Flood> {
  const asks = methods.flatMap((method) => kinds.map((kind) => kind(method))).filter(staysSignedIn);
  // Who says hello without it is somebody else from there on.
  const asHimself = asks.map((ask) => (ask.method === hello.name ? { ...ask, params: greeting(session) } : ask));
  return Flood.start({ base: server.base, headers: ADDRESS_OF_ATTACKS, session, asks: asHimself, ...way });
}

function staysSignedIn({ method, params }: Ask): boolean {
  return method !== signOut.name || !signOut.params.safeParse(JSON.parse(params)).success;
}

function greeting(session: string): string {
  return JSON.stringify({ protocol: PROTOCOL, client: 'flood', session });
}

async function medianOf(durationMs: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const started = performance.now();
    await ada.request(pending, { after: 0, limit: 1 });
    times.push(performance.now() - started);
    // Within her own limit of requests, for as long as this takes.
    await delay(20);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

async function invitationOf({ output }: ServerProcess): Promise<string> {
  for (;;) {
    const token = /#\/join\/([A-Za-z0-9_-]{43})/.exec(output.text)?.[1];
    if (token !== undefined) return token;
    await delay(20);
  }
}

async function newcomer(invitation = invitations.pop() ?? ''): Promise<{ client: SocketClient; session: string }> {
  const client = await SocketClient.connect(server.base);
  await client.hello();
  const { session } = await new Person().signUp(client, invitation);
  await client.hello({ session: session as never });
  return { client, session };
}

/** How many requests were read to their end, whatever came out of it. */
function answered(outcomes: Outcomes): number {
  const { rate_limited = 0, ...rest } = outcomes;
  return Object.values(rest).reduce((sum, count) => sum + count, -rate_limited);
}
