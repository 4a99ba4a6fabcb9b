import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { get } from '../../protocol/contacts.ts';
import { CloseCode } from '../../protocol/frames.ts';
import { UserId } from '../../protocol/ids.ts';
import { ping } from '../../protocol/ping.ts';
import { Line } from '../../e2e/support/line.ts';
import { BrokenServer, USER, welcome } from '../testing/broken-server.ts';
import { until } from '../testing/headless-client.ts';
import { OfflineError } from './connection.ts';
import type { Connection } from './connection.ts';
import type { NetworkChange } from './network-signals.ts';
import { createConnection } from './socket-connection.ts';
import type { Timings } from './timings.ts';

let server: BrokenServer;
let line: Line;
let connection: Connection;
let tell: (change: NetworkChange) => void;
/** Where new sockets lead; null: to the server. */
let elsewhere: string | null;

function connect(timings: Partial<Timings> = {}): void {
  connection = createConnection({
    origin: () => Promise.resolve(line.origin.replace('localhost', '127.0.0.1')),
    client: 'test',
    network: {
      online: () => true,
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
    },
    openSocket: (url) => new WebSocket(elsewhere ?? url),
    random: () => 0,
    timings,
  });
}

const isOnline = () => connection.state.kind === 'online';
const people = { users: [UserId.parse(USER)] };

/** Milliseconds until it is not online any more. */
async function noticed(): Promise<number> {
  const began = performance.now();
  await new Promise<void>((done) => {
    connection.onState(({ kind }) => {
      if (kind !== 'online') done();
    });
  });
  return performance.now() - began;
}

beforeEach(async () => {
  elsewhere = null;
  server = await BrokenServer.start();
  server.answers.set(ping.name, () => ({ result: {} }));
  line = await Line.open(Number(new URL(server.origin).port));
});

afterEach(async () => {
  connection.close();
  await line.close();
  await server.close();
});

// The real times, on a line that takes everything and brings nothing.
describe('a black hole', () => {
  it(
    'is noticed within 15 s at rest, 8 s while something waits, and 3 s after a hint',
    { timeout: 60_000 },
    async () => {
      for (const [act, limit] of [
        [() => undefined, 15_000],
        [() => void connection.request(get, people).catch(() => undefined), 8000],
        [() => tell('back'), 3000],
      ] as const) {
        connect();
        await connection.restart(null);
        await until(isOnline, 'online');
        line.stall();
        act();
        const took = await noticed();
        expect(took).toBeLessThan(limit + 1000);
        line.flow();
        await until(isOnline, 'online again');
        connection.close();
      }
    },
  );
});

describe('a line that stalls', () => {
  it('is noticed, and works when it flows again; what waited is answered or is known to be lost', async () => {
    connect({ waiting: 200, waitingProbe: 100 });
    server.answers.set('contacts.get', () => ({ result: { people: [] } }));
    await connection.restart(null);
    await until(isOnline, 'online');
    line.stall();
    const asked = connection.request(get, people).catch((error: unknown) => error);
    await until(() => !isOnline(), 'noticed');
    await expect(connection.request(get, people)).rejects.toBeInstanceOf(OfflineError);
    line.flow();
    await until(isOnline, 'online again');
    expect(await connection.request(get, people)).toEqual({ people: [] });
    const outcome = await asked;
    expect(outcome instanceof OfflineError || (outcome as { people: [] }).people.length === 0).toBe(true);
  });

  it('and then brings what was under way needs no other connection', async () => {
    connect({ waiting: 200, waitingProbe: 100 });
    await connection.restart(null);
    await until(isOnline, 'online');
    const { socket, asked } = server.line;
    server.answers.delete(ping.name);
    const answer = connection.request(get, people);
    const hole = await Line.open(1);
    hole.stall();
    elsewhere = hole.origin.replace('http://localhost', 'ws://127.0.0.1');
    await until(() => !isOnline(), 'noticed');
    socket.send(JSON.stringify({ id: asked.at(-2)?.id, result: { people: [] } }));
    expect(await answer).toEqual({ people: [] });
    expect(connection.state.kind).toBe('online');
    expect(server.lines).toHaveLength(1);
    connection.close();
    await hole.close();
  });

  it('is given as long as hello takes, though the first attempts were too short', async () => {
    connect({ connect: 100, longestConnect: 5000 });
    server.answers.set('hello', (request, { socket }) => {
      setTimeout(() => socket.send(JSON.stringify({ id: request.id, result: welcome() })), 700);
      return 'silence';
    });
    await connection.restart(null);
    await until(isOnline, 'online');
    // 100, 200, 400, 800 ms.
    expect(server.lines).toHaveLength(4);
  });

  it('that brings hello and then nothing for long is given longer each time', async () => {
    connect({ waiting: 100, waitingProbe: 50 });
    server.answers.delete(ping.name);
    let answered = false;
    server.answers.set('contacts.get', (request, { socket }) => {
      setTimeout(() => socket.send(JSON.stringify({ id: request.id, result: { people: [] } })), 500);
      return 'silence';
    });
    connection.onState(({ kind }) => {
      if (kind === 'online')
        void connection.request(get, people).then(
          () => (answered = true),
          () => undefined,
        );
    });
    await connection.restart(null);
    await until(() => answered, 'answered at last');
    // 150, 300, 600 ms.
    expect(server.lines.length).toBeLessThanOrEqual(4);
  });

  it('is tried anew 3 s after the network has changed, however long hello was to be given', async () => {
    connect({ connect: 60_000, hintProbe: 100 });
    line.stall();
    const started = connection.restart(null);
    await new Promise((done) => setTimeout(done, 300));
    tell('back');
    await new Promise((done) => setTimeout(done, 500));
    line.flow();
    await started;
    await until(isOnline, 'online');
    expect(server.lines.length, 'the first attempt was given up').toBeGreaterThan(1);
  });

  it('does not end for a connection of its own that was given up and replaces its successor', async () => {
    connect({ waiting: 100, waitingProbe: 50 });
    await connection.restart(null);
    await until(isOnline, 'online');
    server.answers.delete(ping.name);
    void connection.request(get, people).catch(() => undefined);
    await until(() => server.lines.length === 2 && isOnline(), 'online again');
    server.line.socket.close(CloseCode.replaced);
    await until(() => connection.state.kind !== 'online', 'lost');
    expect(connection.state.kind).not.toBe('ended');
    await until(isOnline, 'online once more');
    server.line.socket.close(CloseCode.replaced);
    await until(() => connection.state.kind === 'ended', 'ended: that was somebody else');
  });
});

it('changes its state twice over a short interruption, and three times over a long one', async () => {
  connect({ brief: 300 });
  await connection.restart(null);
  await until(isOnline, 'online');
  const states: string[] = [];
  connection.onState(({ kind }) => void states.push(kind));
  states.length = 0;
  line.drop();
  await until(() => states.at(-1) === 'online', 'online again');
  // The stream is not resumed here.
  expect(states).toEqual(['connecting', 'online']);
  states.length = 0;
  line.cut();
  await new Promise((done) => setTimeout(done, 2500));
  line.restore();
  tell('look');
  await until(() => states.at(-1) === 'online', 'online again');
  expect(states).toEqual(['connecting', 'offline', 'online']);
});
