import { once } from 'node:events';
import { connect, type AddressInfo, createServer, Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSfu, type Sfu } from './sfu.ts';
import { StunSuccess } from './stun-frame.ts';
import { type Bounds, TcpFront } from './tcp-front.ts';
import { silentLog } from './testing/rtp-parameters.ts';

const sockets: Socket[] = [];
let worker: Server;
let workerHeard: Buffer;
let workerConnections: number;
let front: TcpFront;
const logged = vi.fn<(fields: object, message: string) => void>();

/** A STUN message (RFC 8489 section 5) without attributes, framed as in RFC 4571. */
function stun(type: number): Buffer {
  const message = Buffer.alloc(22);
  message.writeUInt16BE(20, 0);
  message.writeUInt16BE(type, 2);
  message.writeUInt32BE(0x2112a442, 6);
  return message;
}

const REQUEST = stun(0x0001);
const SUCCESS = stun(0x0101);
const REFUSAL = stun(0x0111);

/** A worker that answers everything with `answer`. */
async function start(answer: Buffer | null, bounds: Partial<Bounds> = {}): Promise<void> {
  workerHeard = Buffer.alloc(0);
  workerConnections = 0;
  worker = createServer((socket) => {
    workerConnections += 1;
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      workerHeard = Buffer.concat([workerHeard, chunk]);
      if (answer !== null) socket.write(answer);
    });
  });
  worker.listen(0, '127.0.0.1');
  await once(worker, 'listening');
  const workerPort = (worker.address() as AddressInfo).port;
  logged.mockClear();
  const log = { ...silentLog, error: logged };
  front = await TcpFront.listen({ ip: '127.0.0.1', port: 0, workerPort, log, bounds });
}

/** `from`: this machine has all of 127.0.0.0/8 where it is Linux. */
async function dial(port = front.port, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

const gone = (socket: Socket, timeout = 5_000) =>
  vi.waitFor(() => expect(socket.closed || socket.readableEnded).toBe(true), { timeout, interval: 10 });

afterEach(async () => {
  front?.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  worker?.close();
});

describe('a stranger on the media port over TCP', () => {
  it('who says nothing is let go after a while, and the worker never hears of it', async () => {
    await start(SUCCESS, { proofMs: 200 });
    await gone(await dial());
    expect([workerConnections, front.connections]).toEqual([0, { unproven: 0, proven: 0 }]);
  });

  it.each([
    ['noise', Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(4))],
    ['a frame that is too long', Buffer.from([0xff, 0xff, 0])],
    ['an empty frame', Buffer.from([0, 0])],
    ['a success response', SUCCESS],
    [
      'a request that lies about its length',
      Buffer.concat([Buffer.from([0, 24]), REQUEST.subarray(2), Buffer.alloc(4)]),
    ],
  ])('who begins with %s is let go at once', async (_, bytes) => {
    await start(SUCCESS);
    const socket = await dial();
    socket.write(bytes);
    await gone(socket, 3_000);
    expect(workerConnections).toBe(0);
  });

  it('whom the worker refuses is let go, however much is asked', async () => {
    await start(REFUSAL, { proofMs: 300 });
    const socket = await dial();
    const asking = setInterval(() => socket.write(REQUEST), 20);
    await gone(socket).finally(() => clearInterval(asking));
    expect(front.connections).toEqual({ unproven: 0, proven: 0 });
  });

  it('cannot hold more than a few connections', async () => {
    await start(SUCCESS, { unprovenPerAddress: 5 });
    const all = await Promise.all(Array.from({ length: 50 }, () => dial()));
    await vi.waitFor(() => expect(all.filter(({ closed, readableEnded }) => closed || readableEnded)).toHaveLength(45));
    expect(front.connections.unproven).toBe(5);
  });

  it('does not keep out who belongs here: the oldest gives way', async () => {
    await start(SUCCESS, { unproven: 5 });
    const idle: Socket[] = [];
    for (let count = 0; count < 5; count += 1) idle.push(await dial());
    await vi.waitFor(() => expect(front.connections.unproven).toBe(5));
    const socket = await dial();
    socket.write(REQUEST);
    await vi.waitFor(() => expect(front.connections.proven).toBe(1));
    await gone(idle[0]!);
    expect(front.connections.unproven).toBe(4);
  });

  it.runIf(process.platform === 'linux')('who comes from many addresses pushes out their own alone', async () => {
    await start(SUCCESS, { unproven: 12 });
    const honest = await dial();
    for (let count = 0; count < 100; count += 1) await dial(front.port, `127.0.1.${(count % 4) + 1}`);
    await vi.waitFor(() => expect(front.connections.unproven).toBe(12));
    honest.write(REQUEST);
    await vi.waitFor(() => expect(front.connections.proven).toBe(1));
    expect(honest.closed).toBe(false);
  });

  it('does not keep out who comes from the same address', async () => {
    await start(SUCCESS, { unprovenPerAddress: 5 });
    for (let count = 0; count < 20; count += 1) await dial();
    (await dial()).write(REQUEST);
    await vi.waitFor(() => expect(front.connections.proven).toBe(1));
  });

  it('who resets connections ends nothing', async () => {
    await start(SUCCESS);
    for (let count = 0; count < 200; count += 1) {
      const socket = await dial();
      if (count % 2 === 0) socket.write(REQUEST.subarray(0, count % 23));
      socket.resetAndDestroy();
    }
    await vi.waitFor(() => expect(front.connections).toEqual({ unproven: 0, proven: 0 }));
    (await dial()).write(REQUEST);
    await vi.waitFor(() => expect(front.connections.proven).toBe(1));
  });
});

describe('a participant over TCP', () => {
  it('is passed on whole, however the first frame is cut', async () => {
    await start(SUCCESS, { proofMs: 2_000 });
    const socket = await dial();
    const more = Buffer.from([0, 3, 1, 2, 3]);
    for (const byte of REQUEST) {
      socket.write(Buffer.from([byte]));
      await sleep(2);
    }
    socket.write(more);
    await vi.waitFor(() => expect(workerHeard).toEqual(Buffer.concat([REQUEST, more])));
    expect(front.connections).toEqual({ unproven: 0, proven: 1 });
  });

  it('stays after the time for the proof, and goes when nothing comes any more', async () => {
    await start(SUCCESS, { proofMs: 100, idleMs: 400 });
    const socket = await dial();
    for (let count = 0; count < 10; count += 1) {
      socket.write(REQUEST);
      await sleep(100);
    }
    expect(socket.closed).toBe(false);
    await gone(socket);
  });

  it.each([{ proven: 1 }, { provenPerAddress: 1 }])('is one too many at the bound %o', async (bounds) => {
    await start(SUCCESS, bounds);
    const [first, second] = [await dial(), await dial()];
    first.write(REQUEST);
    await vi.waitFor(() => expect(front.connections.proven).toBe(1));
    second.write(REQUEST);
    await gone(second);
    expect(first.closed).toBe(false);
  });
});

it('an error of the port is logged, not each of many, and the port goes on', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen');
  await start(SUCCESS);
  const port = listening.mock.contexts.at(-1) as Server;
  listening.mockRestore();
  for (let count = 0; count < 500; count += 1) port.emit('error', new Error('accept EMFILE'));
  expect(logged).toHaveBeenCalledOnce();
  expect(logged.mock.calls[0]?.[0]).toMatchObject({ err: { message: 'accept EMFILE' } });
  (await dial()).write(REQUEST);
  await vi.waitFor(() => expect(front.connections.proven).toBe(1));
});

it('a success is found wherever the stream is cut', () => {
  const stream = Buffer.concat([REFUSAL, Buffer.from([0, 0]), Buffer.from([0, 3, 1, 2, 3]), SUCCESS]);
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const answers = new StunSuccess();
    expect([answers.seenIn(stream.subarray(0, cut)), answers.seenIn(stream.subarray(cut))]).toContain(true);
  }
  expect(new StunSuccess().seenIn(Buffer.concat([Buffer.from([0, 22]), SUCCESS, REFUSAL]))).toBe(false);
});

describe('the real media worker', () => {
  let sfu: Sfu;
  beforeEach(async () => {
    sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  });
  afterEach(() => sfu.close());

  it('refuses a binding request without the credentials of a call, and lets the connection go', async () => {
    const room = await sfu.createRoom({ lost: () => {}, activeSpeaker: () => {}, flooded: () => {} });
    const peer = await room.join('a', sfu.rtpCapabilities, { consumerRemoved: () => {}, consumerPaused: () => {} });
    const tcp = peer.sendTransport.iceCandidates.find(({ protocol }) => protocol === 'tcp');
    const silent = await dial(tcp?.['port'] as number);
    const asking = await dial(tcp?.['port'] as number);
    asking.write(REQUEST);
    await Promise.all([gone(silent, 10_000), gone(asking, 10_000)]);
  }, 15_000);
});
