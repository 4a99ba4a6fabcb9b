import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changed, get } from '../../protocol/contacts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { PROTOCOL } from '../../protocol/frames.ts';
import { UserId } from '../../protocol/ids.ts';
import { ping } from '../../protocol/ping.ts';
import { BrokenServer, STREAM, USER, welcome } from '../testing/broken-server.ts';
import { until } from '../testing/headless-client.ts';
import { backoffMs } from './backoff.ts';
import { OfflineError, TimeoutError } from './connection.ts';
import type { Connection } from './connection.ts';
import type { NetworkSignals } from './network-signals.ts';
import { createConnection } from './socket-connection.ts';
import type { Timings } from './timings.ts';

const SESSION = 'S'.repeat(43);
const PERSON = { userId: UserId.parse(USER), username: 'ada', displayName: 'Ada', role: 'member' };

let server: BrokenServer;
let connection: Connection;
let network: { there: boolean; tell: (change: 'gone' | 'back') => void };
let reported: unknown[];

function connect(timings: Partial<Timings> = {}): void {
  reported = [];
  network = { there: true, tell: () => undefined };
  const signals: NetworkSignals = {
    online: () => network.there,
    onChange: (listener) => {
      network.tell = listener;
      return () => undefined;
    },
  };
  connection = createConnection({
    origin: () => Promise.resolve(server.origin),
    client: 'test',
    network: signals,
    random: () => 0,
    report: (error) => void reported.push(error),
    timings: { connect: 500, request: 500, waiting: 400, waitingProbe: 200, hintProbe: 200, ...timings },
  });
}

/** Online, with a line that nothing but its own end tells about. */
async function withoutWatch(firstWait = 50): Promise<void> {
  connection.close();
  connect({ request: 60_000, waiting: 60_000, idle: 60_000, firstWait });
  await connection.restart(SESSION);
  await until(isOnline, 'online');
}

/** The server sends a close frame (RFC 6455 section 5.5.1), and does not read the answer to it. */
function closeWithoutEnd(code: number): void {
  const { _socket: socket } = server.line.socket as unknown as { _socket: Socket };
  socket.pause();
  socket.write(Buffer.from([0x88, 2, code >> 8, code & 0xff]));
}

function lostWhenAsked(): boolean {
  void connection.request(get, { users: [PERSON.userId] }).catch(() => undefined);
  return !isOnline();
}

const isOnline = () => connection.state.kind === 'online';
const hellos = () => server.lines.map(({ asked }) => asked[0]?.params as Record<string, unknown> | undefined);

beforeEach(async () => {
  server = await BrokenServer.start();
  connect();
});

afterEach(async () => {
  connection.close();
  await server.close();
});

describe('hello', () => {
  it('says who asks and resolves with the welcome', async () => {
    const answer = await connection.restart(SESSION);
    expect(answer.stream).toBe(STREAM);
    expect(connection.welcome).toEqual(answer);
    expect(hellos()).toEqual([{ protocol: { ...PROTOCOL }, client: 'test', session: SESSION }]);
    await until(isOnline, 'online');
  });

  it('too old for the server ends in `unsupported`, for good', async () => {
    const error = { code: 'protocol_unsupported', message: 'no', details: { min: 2, max: 3 } };
    server.answers.set('hello', () => ({ error }));
    await expect(connection.restart(SESSION)).rejects.toMatchObject({ code: 'protocol_unsupported' });
    expect(connection.state).toEqual({ kind: 'unsupported' });
    await new Promise((done) => setTimeout(done, 400));
    expect(server.lines).toHaveLength(1);
  });

  it('with a session that is no more ends in `ended`, and a new start works', async () => {
    server.answers.set('hello', (request) =>
      'session' in (request.params as object)
        ? { error: { code: 'session_invalid', message: 'no' } }
        : { result: welcome({ account: null, deviceId: null }) },
    );
    await expect(connection.restart(SESSION)).rejects.toMatchObject({ code: 'session_invalid' });
    expect(connection.state).toEqual({ kind: 'ended', reason: 'session_revoked' });
    await connection.restart(null);
    await until(isOnline, 'online');
  });

  it('that is never answered is tried again', async () => {
    let first = true;
    server.answers.set('hello', () => {
      if (!first) return { result: welcome() };
      first = false;
      return 'silence';
    });
    await connection.restart(SESSION);
    expect(server.lines.length).toBeGreaterThan(1);
  });

  it.each([
    [4001, 'session_revoked'],
    [4002, 'replaced'],
  ] as const)('closed with %i stays ended', async (code, reason) => {
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    server.line.socket.close(code);
    await until(() => connection.state.kind === 'ended', 'ended');
    expect(connection.state).toEqual({ kind: 'ended', reason });
    await new Promise((done) => setTimeout(done, 400));
    expect(server.lines).toHaveLength(1);
  });
});

describe('requests', () => {
  it('fail at once without a connection', async () => {
    await expect(connection.request(get, { users: [PERSON.userId] })).rejects.toBeInstanceOf(OfflineError);
  });

  it('that are under way when the line drops fail, and the line comes back', async () => {
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    const asked = connection.request(get, { users: [PERSON.userId] });
    await until(() => server.line.asked.length > 1, 'asked');
    server.line.socket.terminate();
    await expect(asked).rejects.toBeInstanceOf(OfflineError);
    await until(() => server.lines.length === 2 && isOnline(), 'online again');
  });

  it('without an answer time out, and a line that does not answer a probe either is replaced', async () => {
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    await expect(connection.request(get, { users: [PERSON.userId] })).rejects.toBeInstanceOf(TimeoutError);
    await until(() => server.lines.length === 2, 'a new line');
  });

  it('on a line that the server closes and never ends have it replaced at once', async () => {
    await withoutWatch();
    closeWithoutEnd(1000);
    await until(lostWhenAsked, 'the line is lost');
    await until(() => server.lines.length === 2 && isOnline(), 'a new line');
  });

  it('do not take the line back from whoever the server has replaced this device by', async () => {
    await withoutWatch(2000);
    closeWithoutEnd(4002);
    await until(lostWhenAsked, 'the line is lost');
    server.line.socket.terminate();
    await until(() => connection.state.kind === 'ended', 'ended');
    await new Promise((done) => setTimeout(done, 2200));
    expect(connection.state).toEqual({ kind: 'ended', reason: 'replaced' });
    expect(server.lines).toHaveLength(1);
  });

  it('without an answer on a line that answers the probe keep the line', async () => {
    server.answers.set(ping.name, () => ({ result: {} }));
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    await expect(connection.request(get, { users: [PERSON.userId] })).rejects.toBeInstanceOf(TimeoutError);
    await new Promise((done) => setTimeout(done, 400));
    expect(server.lines).toHaveLength(1);
  });

  it('bring the coded error of the server, with its details', async () => {
    const error = { code: 'rate_limited', message: 'slower', details: { retryAfterMs: 7 } };
    server.answers.set('contacts.get', () => ({ error }));
    await connection.restart(SESSION);
    const asked = connection.request(get, { users: [PERSON.userId] });
    await expect(asked).rejects.toMatchObject({ code: 'rate_limited', details: { retryAfterMs: 7 } });
  });

  it('refuse an answer of another shape, and begin anew', async () => {
    server.answers.set('contacts.get', () => ({ result: { people: 'all of them' } }));
    await connection.restart(SESSION);
    await expect(connection.request(get, { users: [PERSON.userId] })).rejects.toMatchObject({ code: 'internal' });
    await until(() => server.lines.length === 2, 'a new line');
  });

  it('can be given up', async () => {
    await connection.restart(SESSION);
    const controller = new AbortController();
    const asked = connection.request(get, { users: [PERSON.userId] }, { signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('events', () => {
  it('are handled strictly one after the other, even by slow handlers', async () => {
    const seen: string[] = [];
    connection.on(changed, async ({ person }) => {
      seen.push(`begin ${person.displayName}`);
      await new Promise((done) => setTimeout(done, 20));
      seen.push(`end ${person.displayName}`);
    });
    await connection.restart(SESSION);
    for (const [i, displayName] of ['A', 'B'].entries()) {
      server.line.event('contacts.changed', { person: { ...PERSON, displayName } }, i + 1);
    }
    await until(() => seen.length === 4, 'both handled');
    expect(seen).toEqual(['begin A', 'end A', 'begin B', 'end B']);
  });

  it('go on after a handler that fails, which is reported', async () => {
    const seen: string[] = [];
    connection.on(changed, ({ person }) => {
      if (person.displayName === 'A') throw new Error('a fault');
      seen.push(person.displayName);
    });
    await connection.restart(SESSION);
    server.line.event('contacts.changed', { person: { ...PERSON, displayName: 'A' } }, 1);
    server.line.event('contacts.changed', { person: { ...PERSON, displayName: 'B' } }, 2);
    await until(() => seen.length === 1, 'the second is handled');
    expect(seen).toEqual(['B']);
    expect(reported).toHaveLength(1);
  });

  it('are resumed after the last one had, without a resync', async () => {
    let resyncs = 0;
    connection.onResync(async () => void (resyncs += 1));
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    server.line.event('contacts.changed', { person: PERSON }, 1);
    server.line.event('something.new', {}, 2);
    server.answers.set('hello', () => ({ result: welcome({ seq: 2, resumed: true }) }));
    await until(() => connection.welcome !== null, 'welcome');
    await new Promise((done) => setTimeout(done, 50));
    server.line.socket.terminate();
    await until(() => server.lines.length === 2 && isOnline(), 'online again');
    expect(hellos()[1]?.['resume']).toEqual({ stream: STREAM, seq: 2 });
    expect(resyncs).toBe(1);
  });

  it('fetch everything anew on the same line when the server says that one could not be told', async () => {
    let resyncs = 0;
    connection.onResync(async () => void (resyncs += 1));
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    server.line.event('stream.resynchronise', {}, 1);
    await until(() => resyncs === 2 && isOnline(), 'fetched anew');
    expect(server.lines).toHaveLength(1);
  });

  it('that repeat are handled once', async () => {
    let seen = 0;
    connection.on(changed, () => void (seen += 1));
    await connection.restart(SESSION);
    for (const seq of [1, 1, 2]) server.line.event('contacts.changed', { person: PERSON }, seq);
    await until(() => seen >= 2, 'handled');
    await new Promise((done) => setTimeout(done, 50));
    expect(seen).toBe(2);
  });

  const breakages: readonly [string, () => void][] = [
    ['a gap', () => server.line.event('contacts.changed', { person: PERSON }, 5)],
    ['an event of another shape', () => server.line.event('contacts.changed', { person: 1 }, 1)],
    ['a frame that is not JSON', () => server.line.socket.send('{')],
    ['a frame of no kind', () => server.line.socket.send('{"hello":1}')],
    ['a binary frame', () => server.line.socket.send(Buffer.from([1, 2, 3]))],
    ['a frame too large', () => server.line.socket.send(JSON.stringify({ id: 1, result: 'x'.repeat(300_000) }))],
  ];
  it.each(breakages)('with %s make the client fetch everything anew', async (_, breakLine) => {
    let resyncs = 0;
    connection.onResync(async () => void (resyncs += 1));
    connection.on(changed, () => undefined);
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    breakLine();
    await until(() => resyncs === 2 && isOnline(), 'resynchronised');
    expect(hellos()[1]).not.toHaveProperty('resume');
  });

  it('are resumed if the line dropped while everything was being fetched, and only the rest is fetched', async () => {
    const fetched = { one: 0, other: 0 };
    connection.onResync(async () => void (fetched.one += 1));
    connection.onResync(async () => {
      fetched.other += 1;
      if (fetched.other === 1) await connection.request(get, { users: [PERSON.userId] });
    });
    await connection.restart(SESSION);
    await until(() => server.line.asked.length === 2, 'fetching');
    expect(connection.state.kind).toBe('resynchronising');
    server.answers.set('hello', () => ({ result: welcome({ resumed: true }) }));
    server.line.socket.terminate();
    await until(isOnline, 'online again');
    expect(hellos()[1]).toHaveProperty('resume');
    expect(fetched).toEqual({ one: 1, other: 2 });
  });

  it('are all fetched anew if the stream cannot be resumed', async () => {
    const fetched = { one: 0, other: 0 };
    connection.onResync(async () => void (fetched.one += 1));
    connection.onResync(async () => {
      fetched.other += 1;
      if (fetched.other === 1) await connection.request(get, { users: [PERSON.userId] });
    });
    await connection.restart(SESSION);
    await until(() => server.line.asked.length === 2, 'fetching');
    server.line.socket.terminate();
    await until(isOnline, 'online again');
    expect(fetched).toEqual({ one: 2, other: 2 });
  });

  it('that the server refuses to tell for the moment are asked for again', async () => {
    connection.close();
    connect({ resyncAgain: 50 });
    let fetched = 0;
    connection.onResync(async () => {
      fetched += 1;
      if (fetched < 3) throw new ProtocolError('unavailable', 'not now');
    });
    await connection.restart(SESSION);
    await until(() => fetched === 3 && isOnline(), 'fetched at last');
    await new Promise((done) => setTimeout(done, 150));
    expect(fetched).toBe(3);
  });
});

describe('the network', () => {
  it('going away is noticed at once, and its coming back ends the wait', async () => {
    await connection.restart(SESSION);
    await until(isOnline, 'online');
    network.there = false;
    network.tell('gone');
    expect(connection.state.kind).toBe('offline');
    await new Promise((done) => setTimeout(done, 500));
    expect(server.lines).toHaveLength(1);
    network.there = true;
    network.tell('back');
    await until(() => server.lines.length === 2 && isOnline(), 'online again');
  });

  it('that is silently dead is noticed by a probe', async () => {
    connection.close();
    connect({ idle: 100, idleProbe: 100 });
    await connection.restart(SESSION);
    await until(() => server.lines.length === 2, 'a new line');
  });
});

describe('the backoff', () => {
  it('is between 125 ms and 15 s, and at least doubles its ceiling until then', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const wait = backoffMs(attempt, () => random);
        expect(wait).toBeGreaterThanOrEqual(125);
        expect(wait).toBeLessThanOrEqual(15_000);
        expect(wait).toBeLessThanOrEqual(250 * 2 ** attempt);
      }),
    );
    expect(backoffMs(1000, () => 1)).toBe(15_000);
    expect(backoffMs(0, () => 0)).toBe(125);
  });
});
