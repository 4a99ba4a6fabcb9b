import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkInvitation, sessions } from '../../protocol/accounts.ts';
import { delivered } from '../../protocol/chat.ts';
import { CloseCode, MAX_FRAME_BYTES, PROTOCOL } from '../../protocol/frames.ts';
import { hello } from '../../protocol/hello.ts';
import { refusal } from '../testing/expect-code.ts';
import { sendTo } from '../testing/person.ts';
import { SocketClient } from '../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { LIMITS } from './limits.ts';

/** A busy machine is no failure. */
const PATIENT = { timeout: 15_000 };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());
const base = () => `http://127.0.0.1:${server.port}`;

describe('hello', () => {
  it('comes first', async () => {
    const client = await SocketClient.connect(base());
    await refusal('hello_required', client.request(sessions, {}));
    await client.hello();
    await refusal('not_signed_in', client.request(sessions, {}));
  });

  it('settles on a version, or says which there are', async () => {
    const client = await SocketClient.connect(base());
    const wide = { min: PROTOCOL.min, max: 1000 };
    expect((await client.hello({ protocol: wide })).protocol).toBe(PROTOCOL.max);
    const newer = { min: PROTOCOL.max + 1, max: PROTOCOL.max + 1 };
    const { details } = await refusal('protocol_unsupported', client.hello({ protocol: newer }));
    expect(details).toEqual(PROTOCOL);
  });

  it('gives every connection its own challenge and time', async () => {
    const [one, two] = await Promise.all([SocketClient.connect(base()), SocketClient.connect(base())]);
    const [first, second] = [await one.hello(), await two.hello()];
    expect(first.challenge).not.toBe(second.challenge);
    expect(first).toMatchObject({ account: null, deviceId: null, resumed: false });
    expect(Math.abs(first.server.time - Date.now())).toBeLessThan(60_000);
  });

  it('can be said again without the session that is not known', async () => {
    const client = await SocketClient.connect(base());
    await refusal('session_invalid', client.hello({ session: 'A'.repeat(43) as never }));
    expect((await client.hello()).account).toBeNull();
  });
});

describe('event streams', () => {
  it('resume after the last event that was handled, with nothing lost and nothing twice', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const welcome = await bob.client.hello({ session: bob.session as never });
    for (let i = 0; i < 3; i++) await sendTo(ada.client, bob.person);
    await bob.client.next(delivered);
    bob.client.socket.terminate();
    await bob.client.closed;
    for (let i = 0; i < 4; i++) await sendTo(ada.client, bob.person);

    const client = await SocketClient.connect(base());
    const resume = { stream: welcome.stream, seq: welcome.seq + 1 };
    const again = await client.hello({ session: bob.session as never, resume });
    expect(again).toMatchObject({ resumed: true, stream: welcome.stream, seq: welcome.seq + 7 });
    await sendTo(ada.client, bob.person);
    await expect.poll(() => client.events.length, PATIENT).toBe(7);
    const seqs = client.events.map(({ seq }) => seq - welcome.seq);
    expect(seqs).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });

  it('tell the client to resynchronise where events are gone or the stream is another', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const welcome = await bob.client.hello({ session: bob.session as never });
    await bob.client.close();
    await Promise.all(Array.from({ length: LIMITS.streamEvents.value + 1 }, () => sendTo(ada.client, bob.person)));
    const session = bob.session as never;
    const from = async (stream: string, seq: number) => {
      const client = await SocketClient.connect(base());
      return client.hello({ session, resume: { stream, seq } });
    };
    expect(await from(welcome.stream, welcome.seq)).toMatchObject({
      resumed: false,
      seq: welcome.seq + LIMITS.streamEvents.value + 1,
    });
    expect(await from(welcome.stream, welcome.seq + LIMITS.streamEvents.value + 2)).toMatchObject({ resumed: false });
    expect(await from('9b2f3c1e-8f5d-4d0a-9c43-9c9f6f7b5c11', 0)).toMatchObject({ resumed: false });
    expect(await from(welcome.stream, welcome.seq + LIMITS.streamEvents.value + 1)).toMatchObject({ resumed: true });
  });

  it('go to the newer connection of a device; the older one is told', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const newer = await server.connect(bob.session);
    expect(await bob.client.closed).toBe(CloseCode.replaced);
    await sendTo(ada.client, bob.person);
    await newer.next(delivered);
    expect(bob.client.events.filter(({ event }) => event === delivered.name)).toEqual([]);
  });
});

describe('frames', () => {
  it('that are no requests get a coded error, with their id where it can be told', async () => {
    const client = await server.connect();
    const broken = [
      '',
      '{',
      'null',
      '[]',
      '1',
      '{}',
      '{"id":0,"method":"hello"}',
      '{"id":7,"method":7}',
      '{"id":7,"method":"hello","params":{},"x":1}',
    ];
    for (const frame of broken) client.socket.send(frame);
    client.socket.send(Buffer.from('{"id":7,"method":"hello","params":{}}'), { binary: true });
    await expect.poll(() => client.stray.length, PATIENT).toBe(broken.length + 1);
    const codes = client.stray.map((frame) => (frame as { error: { code: string } }).error.code);
    expect(new Set(codes)).toEqual(new Set(['invalid_request']));
    expect(client.stray.map((frame) => (frame as { id: unknown }).id)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      7,
      7,
      null,
    ]);
    await refusal('not_signed_in', client.request(sessions, {}));
  });

  it('that go on being no requests close the connection', async () => {
    const client = await server.connect();
    for (let i = 0; i < 60; i++) client.socket.send('nonsense');
    expect(await client.closed).toBe(CloseCode.tooManyErrors);
  });

  it('over the size limit close that connection and no other', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const params = { text: 'x'.repeat(MAX_FRAME_BYTES), limit: 1 };
    const lost = ada.client.raw('contacts.search', params).catch(() => 'lost');
    expect(await ada.client.closed).toBe(1009);
    expect(await lost).toBe('lost');
    expect((await bob.client.request(sessions, {})).sessions).toHaveLength(1);
    expect((await (await server.connect(ada.session)).request(sessions, {})).sessions).toHaveLength(1);
  });

  it('name no method that there is not', async () => {
    const { client } = await server.join();
    for (const method of ['nothing', 'constructor', '__proto__', 'chat.send ', 'toString']) {
      await refusal('unknown_method', client.raw(method, {}));
    }
  });

  it('are refused without a word of what was in them', async () => {
    const client = await server.connect();
    const secret = 'the-secret-word';
    const bad = { invitation: secret, [secret]: secret };
    const { message, details } = await refusal('invalid_request', client.raw('accounts.checkInvitation', bad));
    expect(JSON.stringify([message, details])).not.toContain(secret);
    expect(details.issues.map(({ path }) => path)).toContain('invitation');
  });

  it('may come all at once; every request gets its own answer', async () => {
    const { client } = await server.join();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => client.request(sessions, {})));
    expect(answers).toHaveLength(1000);
  });
});

describe('upgrades', () => {
  const status = async (path: string, headers: Record<string, string> = {}) => {
    const socket = connect(server.port, '127.0.0.1');
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${server.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
    ];
    const own = { 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers };
    socket.write([...lines, ...Object.entries(own).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n'));
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return Number(data.toString().split(' ')[1]);
  };

  it('are taken from this server’s pages, the desktop app and programs, and from no other page', async () => {
    expect(await status('/ws')).toBe(101);
    expect(await status('/ws', { Origin: base() })).toBe(101);
    expect(await status('/ws', { Origin: 'app://teahouse' })).toBe(101);
    expect(await status('/ws', { Origin: 'https://evil.example' })).toBe(403);
    expect(await status('/ws', { Origin: `http://127.0.0.1:${server.port + 1}` })).toBe(403);
    expect(await status('/ws', { Origin: 'null' })).toBe(403);
  });

  it('are for one path', async () => {
    expect(await status('/')).toBe(404);
    expect(await status('/ws/x')).toBe(404);
  });
});

describe('with short times', () => {
  let hasty: TestServer;
  afterEach(() => hasty.dispose());

  it('closes a connection that says no hello', async () => {
    hasty = await startTestServer({ helloTimeoutMs: 1500 });
    const silent = await SocketClient.connect(`http://127.0.0.1:${hasty.port}`);
    const polite = await hasty.connect();
    expect(await silent.closed).toBe(CloseCode.helloTimeout);
    await polite.hello();
  });

  it('cuts off a peer that answers no ping, and keeps one that does', async () => {
    hasty = await startTestServer({ heartbeatMs: 400 });
    const dead = await hasty.connect();
    dead.socket.pause();
    const alive = await hasty.connect();
    await delay(2000);
    dead.socket.resume();
    expect(await dead.closed).toBe(1006);
    await alive.hello();
  });

  it('limits requests, and says when to come back', async () => {
    hasty = await startTestServer({ rateLimitFactor: 0.01 });
    const client = await hasty.connect();
    const invitation = 'A'.repeat(43);
    const ask = () => client.request(checkInvitation, { invitation });
    for (let i = 0; i < 3; i++) await refusal('invitation_invalid', ask());
    const { details } = await refusal('rate_limited', ask());
    expect(details.retryAfterMs).toBeGreaterThan(0);
    expect(details.retryAfterMs).toBeLessThanOrEqual(600_000);
  });

  it('answers what was asked before it ends, and takes nothing new', async () => {
    hasty = await startTestServer();
    const [ada, bob] = [await hasty.join(), await hasty.join()];
    const sends = Array.from({ length: 20 }, () => sendTo(ada.client, bob.person));
    await delay(5);
    const closing = hasty.close();
    const answers = await Promise.allSettled(sends);
    expect(
      answers.every((answer) => answer.status === 'fulfilled' || String(answer.reason).includes('shutting down')),
    ).toBe(true);
    expect(await ada.client.closed).toBe(1001);
    await closing;
    await expect(hasty.connect()).rejects.toThrow();
  });
});

it('lists hello among the methods that it answers', async () => {
  const client = await SocketClient.connect(base());
  await refusal('invalid_request', client.raw(hello.name, { protocol: 'x' }));
});
