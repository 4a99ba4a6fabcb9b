import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProtocolError } from '../../protocol/errors.ts';
import { MAX_CONSUMERS, type Peer } from './peer.ts';
import type { Room } from './room.ts';
import { createSfu, type Sfu, type SfuOptions } from './sfu.ts';
import { audioParameters, dtlsParameters, silentLog, videoParameters } from './testing/rtp-parameters.ts';

const opened: Sfu[] = [];

async function open(options: Partial<SfuOptions> = {}): Promise<Sfu> {
  const sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog, ...options });
  opened.push(sfu);
  return sfu;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((sfu) => sfu.close()));
});

const ignoring = () => ({ lost: vi.fn(), activeSpeaker: vi.fn(), flooded: vi.fn() });
const hearing = () => ({ consumerRemoved: vi.fn(), consumerPaused: vi.fn() });

async function code(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

const microphone = (paused = false) =>
  ({ source: 'microphone', kind: 'audio', rtpParameters: audioParameters(), paused }) as const;
const camera = () => ({ source: 'camera', kind: 'video', rtpParameters: videoParameters(), paused: false }) as const;

describe('a room', () => {
  let sfu: Sfu;
  let room: Room;
  let alice: Peer;
  let bob: Peer;
  let bobHears: ReturnType<typeof hearing>;

  beforeEach(async () => {
    sfu = await open();
    room = await sfu.createRoom(ignoring());
    bobHears = hearing();
    alice = await room.join('alice', sfu.rtpCapabilities, hearing());
    bob = await room.join('bob', sfu.rtpCapabilities, bobHears);
  });

  async function consumed(producer: Parameters<Peer['consume']>[0], by = bob) {
    const consumer = await by.consume(producer);
    if (consumer === null) throw new Error('not consumed');
    return consumer;
  }

  it('offers Opus and VP8 with retransmission', () => {
    const codecs = (sfu.rtpCapabilities['codecs'] as { mimeType: string }[]).map(({ mimeType }) => mimeType);
    expect(codecs).toEqual(['audio/opus', 'video/VP8', 'video/rtx']);
  });

  it('gives each participant two transports on the one port, over UDP and TCP', async () => {
    const candidates = [alice.sendTransport, alice.receiveTransport, bob.sendTransport].map(({ iceCandidates }) =>
      iceCandidates.map(({ ip, port, protocol }) => ({ ip, port, protocol })),
    );
    expect(candidates[0]).toHaveLength(2);
    expect(candidates[0]?.map(({ protocol }) => protocol).sort()).toEqual(['tcp', 'udp']);
    expect(candidates[1]).toEqual(candidates[0]);
    expect(candidates[2]).toEqual(candidates[0]);
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 4 });
  });

  it('forwards audio to a consumer that begins paused', async () => {
    const producer = await alice.produce(microphone());
    const consumer = await consumed(producer);
    expect(consumer.producer).toBe(producer);
    const sent = consumer.rtpParameters['codecs'] as { parameters: object }[];
    expect(sent[0]?.parameters).toMatchObject({ useinbandfec: 1, usedtx: 1 });
    const dump = await room.router.dump();
    expect(dump.mapProducerIdConsumerIds).toEqual([{ key: producer.id, values: [consumer.id] }]);
  });

  it('takes three simulcast layers and lets the receiver choose', async () => {
    const consumer = await consumed(await alice.produce(camera()));
    await consumer.setPreferredLayers({ spatialLayer: 1, temporalLayer: 0 });
    await consumer.setPaused(false);
    const encodings = consumer.rtpParameters['encodings'] as { scalabilityMode: string }[];
    expect(encodings[0]?.scalabilityMode).toBe('L3T3');
  });

  it('ignores layers where there is but one', async () => {
    const consumer = await consumed(await alice.produce(microphone()));
    await expect(consumer.setPreferredLayers({ spatialLayer: 2, temporalLayer: 2 })).resolves.toBeUndefined();
  });

  it('tells receivers of a pause and of the end', async () => {
    const producer = await alice.produce(microphone());
    const consumer = await consumed(producer);
    await producer.setPaused(true);
    await producer.setPaused(true);
    expect(bobHears.consumerPaused.mock.calls).toEqual([[consumer.id, true]]);
    await producer.setPaused(false);
    expect(bobHears.consumerPaused).toHaveBeenLastCalledWith(consumer.id, false);
    producer.close();
    expect(bobHears.consumerRemoved.mock.calls).toEqual([[consumer.id]]);
    expect(bob.consumer(consumer.id)).toBeUndefined();
    expect(alice.producers).toEqual([]);
  });

  it('names the active speaker, unless muted or gone', async () => {
    const listener = ignoring();
    const quiet = await sfu.createRoom(listener);
    const peer = await quiet.join('alice', sfu.rtpCapabilities, hearing());
    // Whoever is alone prevails.
    const producer = await peer.produce(microphone());
    await vi.waitFor(() => expect(listener.activeSpeaker.mock.calls).toEqual([['alice']]), 3000);
    expect(quiet.activeSpeaker).toBe('alice');
    await producer.setPaused(true);
    expect(listener.activeSpeaker).toHaveBeenLastCalledWith(null);
    await producer.setPaused(false);
    expect(listener.activeSpeaker).toHaveBeenLastCalledWith('alice');
    producer.close();
    expect(quiet.activeSpeaker).toBeNull();
    expect(listener.activeSpeaker).toHaveBeenLastCalledWith(null);
  });

  it('keeps one producer per source', async () => {
    const first = await alice.produce(camera());
    const consumer = await consumed(first);
    const second = await alice.produce(camera());
    expect(alice.producers).toEqual([second]);
    expect(bobHears.consumerRemoved).toHaveBeenCalledWith(consumer.id);
    expect((await room.router.dump()).mapProducerIdConsumerIds.map(({ key }) => key)).toEqual([second.id]);
  });

  it('does not consume what the receiver cannot decode', async () => {
    const deaf = await room.join('deaf', { codecs: [], headerExtensions: [] }, hearing());
    expect(await deaf.consume(await alice.produce(microphone()))).toBeNull();
  });

  it('does not consume what has gone', async () => {
    const producer = await alice.produce(microphone());
    const asked = bob.consume(producer);
    producer.close();
    expect(await asked.catch(() => null)).toBeNull();
    expect(await bob.consume(producer)).toBeNull();
    const dump = await room.router.dump();
    expect(dump.mapConsumerIdProducerId).toEqual([]);
  });

  it('bounds the consumers of one participant', async () => {
    const producer = await alice.produce(microphone());
    for (let n = 0; n < MAX_CONSUMERS; n += 1) await consumed(producer);
    expect(await code(() => bob.consume(producer))).toBe('media_rejected');
  });

  it('releases everything of a participant who goes', async () => {
    const toAlice = await consumed(await bob.produce(microphone()), alice);
    const toBob = await consumed(await alice.produce(microphone()));
    alice.close();
    expect(bobHears.consumerRemoved.mock.calls).toEqual([[toBob.id]]);
    expect(alice.consumer(toAlice.id)).toBeUndefined();
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 2 });
    const dump = await room.router.dump();
    expect(dump.mapConsumerIdProducerId).toEqual([]);
    expect(room.peers).toEqual([bob]);
  });

  it('leaves nothing when it closes', async () => {
    await consumed(await alice.produce(microphone()));
    room.close();
    expect(await sfu.dump()).toEqual({ routers: 0, transports: 0 });
    expect(sfu.rooms).toBe(0);
    expect(bobHears.consumerRemoved).not.toHaveBeenCalled();
    expect(await code(() => room.join('late', sfu.rtpCapabilities, hearing()))).toBe('media_rejected');
  });

  it('connects each transport once and restarts its ICE', async () => {
    const { id, iceParameters } = alice.sendTransport;
    await alice.connectTransport(id, dtlsParameters());
    expect(await code(() => alice.connectTransport(id, dtlsParameters()))).toBe('media_rejected');
    const restarted = await alice.restartIce(id);
    expect(restarted['usernameFragment']).not.toBe(iceParameters['usernameFragment']);
  });

  it('knows only its own transports', async () => {
    expect(await code(() => alice.connectTransport(bob.sendTransport.id, dtlsParameters()))).toBe('media_rejected');
    expect(await code(() => alice.restartIce(bob.sendTransport.id))).toBe('media_rejected');
  });

  it('refuses a source of the wrong kind', async () => {
    expect(await code(() => alice.produce({ ...camera(), source: 'microphone' }))).toBe('media_rejected');
    expect(await code(() => alice.produce({ ...microphone(), rtpParameters: videoParameters() }))).toBe(
      'media_rejected',
    );
  });

  it('survives parameters that break in the middle of their serialisation', async () => {
    const video = videoParameters();
    const encodings = [{ rid: 'r0', maxBitrate: 0.5 }];
    expect(await code(() => alice.produce({ ...camera(), rtpParameters: { ...video, encodings } }))).toBe(
      'media_rejected',
    );
    const fingerprints = [{ algorithm: 'sha-256' }];
    expect(await code(() => alice.connectTransport(alice.sendTransport.id, { fingerprints }))).toBe('media_rejected');
    await alice.connectTransport(alice.sendTransport.id, dtlsParameters());
    await consumed(await alice.produce(camera()));
  });

  it('answers any JSON with an error or a result, and goes on working', async () => {
    const { pids } = sfu;
    const broken = (whole: object) =>
      fc.oneof(fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue()), mutated(whole));
    await fc.assert(
      fc.asyncProperty(
        broken(audioParameters()),
        broken(videoParameters()),
        broken(dtlsParameters()),
        broken(sfu.rtpCapabilities),
        async (audio, video, dtls, capabilities) => {
          const known = ['none', 'media_rejected'];
          expect(known).toContain(await code(() => alice.produce({ ...microphone(), rtpParameters: audio })));
          expect(known).toContain(await code(() => alice.produce({ ...camera(), rtpParameters: video })));
          expect(known).toContain(await code(() => alice.connectTransport(alice.receiveTransport.id, dtls)));
          const joins = async () => (await room.join('x', capabilities, hearing())).close();
          expect(known).toContain(await code(joins));
        },
      ),
      { numRuns: 150 },
    );
    expect(sfu.pids).toEqual(pids);
    expect(room.closed).toBe(false);
    await consumed(await alice.produce(camera()));
    await consumed(await alice.produce(microphone()));
  });
});

/** A valid object with one value somewhere in it replaced. */
function mutated(whole: unknown): fc.Arbitrary<unknown> {
  const paths = pathsOf(whole);
  const values = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, '', 'x'.repeat(5000), null, true, [], {}),
  );
  return fc.tuple(fc.constantFrom(...paths), values).map(([path, value]) => replaced(whole, path, value));
}

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function replaced(whole: unknown, [key, ...rest]: string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(whole) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, value);
  return copy;
}

describe('workers', () => {
  it('get the next room by load', async () => {
    const sfu = await open({ workers: 2 });
    expect(sfu.pids).toHaveLength(2);
    const busy = await sfu.createRoom(ignoring());
    for (const id of ['a', 'b', 'c']) await busy.join(id, sfu.rtpCapabilities, hearing());
    const port = async (room: Room) => {
      const peer = await room.join('probe', sfu.rtpCapabilities, hearing());
      const found = peer.sendTransport.iceCandidates[0]?.['port'];
      peer.close();
      return found;
    };
    const others = [await sfu.createRoom(ignoring()), await sfu.createRoom(ignoring())];
    const busyPort = await port(busy);
    for (const room of others) expect(await port(room)).not.toBe(busyPort);
  });

  it('may die: the rooms of that one are lost, the others go on, and another takes its place', async () => {
    const sfu = await open({ workers: 2 });
    const heard = [ignoring(), ignoring()];
    const rooms = [await sfu.createRoom(heard[0]!), await sfu.createRoom(heard[1]!)];
    const peers = await Promise.all(rooms.map((room) => room.join('a', sfu.rtpCapabilities, hearing())));
    const [victim] = sfu.pids;
    process.kill(victim!, 'SIGKILL');
    await vi.waitFor(() => expect(heard.some(({ lost }) => lost.mock.calls.length === 1)).toBe(true), 5000);

    const lost = heard.findIndex(({ lost: told }) => told.mock.calls.length === 1);
    const kept = 1 - lost;
    expect(heard[kept]?.lost).not.toHaveBeenCalled();
    expect(rooms[lost]?.closed).toBe(true);
    expect(peers[lost]?.closed).toBe(true);
    expect(await code(() => peers[lost]!.restartIce(peers[lost]!.sendTransport.id))).not.toBe('none');
    await peers[kept]!.produce(microphone());

    await vi.waitFor(() => expect(sfu.pids).toHaveLength(2), 5000);
    expect(sfu.pids).not.toContain(victim);
    const again = await sfu.createRoom(ignoring());
    const peer = await again.join('a', sfu.rtpCapabilities, hearing());
    await peer.produce(microphone());
  });

  it('that hang are replaced too', async () => {
    const sfu = await open({ watchdog: { everyMs: 50, patienceMs: 200 } });
    const listener = ignoring();
    await sfu.createRoom(listener);
    const [hung] = sfu.pids;
    process.kill(hung!, 'SIGSTOP');
    await vi.waitFor(() => expect(listener.lost).toHaveBeenCalledOnce(), 5000);
    await vi.waitFor(() => expect(sfu.pids).toHaveLength(1), 5000);
    expect(sfu.pids).not.toContain(hung);
    await sfu.createRoom(ignoring());
  });

  it('that answer are left alone', async () => {
    const sfu = await open({ watchdog: { everyMs: 20, patienceMs: 200 } });
    const before = sfu.pids;
    await sleep(600);
    expect(sfu.pids).toEqual(before);
  });

  it('are waited for while the only one is being replaced', async () => {
    const sfu = await open();
    process.kill(sfu.pids[0]!, 'SIGKILL');
    await vi.waitFor(() => expect(sfu.healthy).toBe(false), { timeout: 5000, interval: 1 });
    const room = await sfu.createRoom(ignoring());
    await room.join('a', sfu.rtpCapabilities, hearing());
  });

  it('refuse rooms with a code when there are none any more', async () => {
    const sfu = await open();
    process.kill(sfu.pids[0]!, 'SIGKILL');
    await vi.waitFor(() => expect(sfu.healthy).toBe(false), { timeout: 5000, interval: 1 });
    const asked = code(() => sfu.createRoom(ignoring()));
    await sfu.close();
    expect(await asked).toBe('unavailable');
    expect(await code(() => sfu.createRoom(ignoring()))).toBe('unavailable');
  });

  it('that die young are not replaced in a busy loop', async () => {
    const info = vi.fn();
    const sfu = await open({ logger: { ...silentLog, info } });
    const until = performance.now() + 3_000;
    while (performance.now() < until) {
      for (const pid of sfu.pids) process.kill(pid, 'SIGKILL');
      await sleep(10);
    }
    // The first, and those after waits of 0, 250, 500, 1000 and 2000 ms.
    expect(info.mock.calls.length).toBeGreaterThan(1);
    expect(info.mock.calls.length).toBeLessThanOrEqual(6);
    await vi.waitFor(() => expect(sfu.healthy).toBe(true), 10_000);
  });

  it('say at once if a port is taken', async () => {
    const first = await open({ port: 24_010 });
    expect(first.healthy).toBe(true);
    await expect(open({ port: 24_010 })).rejects.toThrow();
  });

  it('say at once if the executable is not there', async () => {
    await expect(open({ workerBin: '/nonexistent/mediasoup-worker' })).rejects.toThrow();
  });

  it('end with the server', async () => {
    const sfu = await open({ workers: 2 });
    const pids = sfu.pids;
    const listener = ignoring();
    await sfu.createRoom(listener);
    await sfu.close();
    const alive = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await vi.waitFor(() => expect(pids.filter(alive)).toEqual([]), 5000);
    expect(sfu.healthy).toBe(false);
  });
});
