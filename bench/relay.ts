import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WebSocketServer } from 'ws';
import { startTestServer } from '../server/testing/test-server.ts';
import { report } from './report.ts';
import type { Order, Outcome } from './relay-clients.ts';

/*
 * How many messages a second the relay takes from 50 devices so that they are durable, and how long one takes from its
 * sender to its receiver. The server runs in this process and all the clients in another, as on a machine of two cores.
 */

const DEVICES = 50;
const SECONDS = 8;
const MODERATE_PER_SECOND = 1000;
/** A short text message: body and tags, encrypted. */
const PAYLOAD_BYTES = 256;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'teahouse-bench-'));
  try {
    const commits = rawCommits(join(folder, 'raw.db'));
    const clients = fork(join(import.meta.dirname, 'relay-clients.ts'), { stdio: 'inherit' });
    const echoes = await rawEchoes(clients);
    const { throughput, latency } = await relay(clients, folder);
    clients.disconnect();

    const echo = { name: 'raw ws echo', value: echoes, unit: 'echoes/s' };
    const commit = { name: 'raw SQLite commits', value: commits, unit: 'commits/s' };
    report({ bench: 'relay.durable', value: throughput.perSecond, unit: 'messages/s', target: 10_000, limit: echo });
    report({
      bench: 'relay.durable.vs_commits',
      value: throughput.perSecond / commits,
      unit: 'messages/commit',
      limit: commit,
    });
    const shared = { unit: 'ms', lowerIsBetter: true };
    report({ bench: 'relay.delivery.p50', value: latency.p50, ...shared });
    report({ bench: 'relay.delivery.p99', value: latency.p99, ...shared });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function relay(clients: ChildProcess, folder: string) {
  // Every account here sends as much as hundreds of people, so the limits are widened.
  const server = await startTestServer({ rateLimitFactor: 1000 }, { TEAHOUSE_DATA: join(folder, 'data') });
  try {
    const invitations = await Promise.all(Array.from({ length: DEVICES }, () => server.invitation()));
    const base = `http://127.0.0.1:${server.port}`;
    await order(clients, { kind: 'join', base, invitations, payloadBytes: PAYLOAD_BYTES });
    const throughput = await order(clients, { kind: 'flood', seconds: SECONDS });
    const latency = await order(clients, { kind: 'paced', seconds: SECONDS, perSecond: MODERATE_PER_SECOND });
    await order(clients, { kind: 'leave' });
    return { throughput, latency };
  } finally {
    await server.dispose();
  }
}

/** One row in one transaction at a time, as durable as the server's own. */
function rawCommits(path: string): number {
  const database = new DatabaseSync(path);
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table rows (id integer primary key, body blob)',
  );
  const insert = database.prepare('insert into rows (body) values (?)');
  const body = Buffer.alloc(PAYLOAD_BYTES);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < 2000) {
    insert.run(body);
    count++;
  }
  const seconds = (performance.now() - started) / 1000;
  database.close();
  return count / seconds;
}

/** The same frames with nothing done to them but to be sent back. */
async function rawEchoes(clients: ChildProcess): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const { port } = server.address() as AddressInfo;
  const result = await order(clients, {
    kind: 'echo',
    url: `ws://127.0.0.1:${port}`,
    devices: DEVICES,
    seconds: 3,
    payloadBytes: PAYLOAD_BYTES,
  });
  server.close();
  return result.perSecond;
}

async function order(clients: ChildProcess, command: Order): Promise<Outcome> {
  clients.send(command);
  const [outcome] = (await once(clients, 'message')) as [Outcome | { error: string }];
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome;
}

await main();
