import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RtpParameters } from '../../protocol/media.ts';
import type { Consumer } from './consumer.ts';
import type { Peer } from './peer.ts';
import type { Room } from './room.ts';
import { createSfu, type Sfu } from './sfu.ts';
import { RawParticipant } from './testing/raw-participant.ts';
import { losses, rtpPacket } from './testing/rtp-packet.ts';
import { audioParameters, silentLog, singleVideoParameters } from './testing/rtp-parameters.ts';

/** Bob speaks and films; whoever receives him asks for packets again, because the line is bad or to cost the server. */
const NOTICED = { timeout: 20_000, interval: 50 };
/** How often a browser asks for one packet at most, and how long it waits each time where the round trip takes that. */
const TRIES = 10;
const RTT_MS = 100;

let sfu: Sfu;
let room: Room;
let receiver: Peer;
let line: RawParticipant;
let camera: RawParticipant;
let picture: Consumer;
let sound: Consumer;
const flooded = vi.fn();
const told = vi.fn();
const timers: NodeJS.Timeout[] = [];

beforeEach(async () => {
  flooded.mockReset();
  told.mockReset();
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  room = await sfu.createRoom({ lost: vi.fn(), activeSpeaker: vi.fn(), flooded });
  receiver = await room.join('receiver', sfu.rtpCapabilities, { consumerRemoved: vi.fn(), consumerPaused: told });
  const bob = await room.join('bob', sfu.rtpCapabilities, { consumerRemoved: vi.fn(), consumerPaused: vi.fn() });
  line = await open(receiver, 'receiveTransport');
  camera = await open(bob, 'sendTransport');
  const [filmed, spoken] = [singleVideoParameters(), audioParameters()];
  picture = await consume(await bob.produce({ source: 'camera', kind: 'video', rtpParameters: filmed, paused: false }));
  sound = await consume(
    await bob.produce({ source: 'microphone', kind: 'audio', rtpParameters: spoken, paused: false }),
  );
  // 3.5 Mbit/s, as a shared screen has.
  const payload = Buffer.concat([Buffer.from([0x10, 0x00]), Buffer.alloc(1_100, 1)]);
  send(4, (sequence) => ({ ssrc: ssrcOf(filmed), sequence, timestamp: sequence * 90, payloadType: 96, payload }));
  send(1, (sequence) => ({ ssrc: ssrcOf(spoken), sequence, payloadType: 111, payload: Buffer.alloc(80, 1) }));
});
afterEach(async () => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const one of [line, camera]) one.close();
  await sfu.close();
});

async function open(peer: Peer, direction: 'sendTransport' | 'receiveTransport'): Promise<RawParticipant> {
  const transport = peer[direction];
  return RawParticipant.connect(transport, (dtls) => peer.connectTransport(transport.id, dtls));
}

async function consume(producer: Parameters<Peer['consume']>[0]): Promise<Consumer> {
  const consumer = await receiver.consume(producer);
  if (consumer === null) throw new Error('not consumed');
  await consumer.setPaused(false);
  return consumer;
}

function ssrcOf({ encodings }: Pick<RtpParameters, 'encodings'>): number {
  return encodings?.[0]?.ssrc ?? 0;
}

/** Sends `count` packets every 10 ms. */
function send(count: number, packet: (sequence: number) => Parameters<typeof rtpPacket>[0]): void {
  let sequence = 0;
  const run = () => {
    for (let n = 0; n < count; n += 1, sequence += 1) camera.sendRtp(...rtpPacket(packet(sequence)));
  };
  timers.push(setInterval(run, 10));
}

/** Asks for the newest 510 packets again and again. */
function askWithoutEnd(consumer: Consumer): void {
  const ssrc = ssrcOf(consumer.rtpParameters);
  const ask = () => {
    const last = line.sequences.get(ssrc);
    if (last !== undefined)
      line.sendRtcp(
        losses(
          ssrc,
          Array.from({ length: 30 }, (_, n) => [last - 17 * n - 16, 0xffff]),
        ),
      );
  };
  timers.push(setInterval(ask, 5));
}

/** The newest packet of a consumer; moves on while it is received. */
const newest = (consumer: Consumer) => line.sequences.get(ssrcOf(consumer.rtpParameters));

async function flows(consumer: Consumer): Promise<void> {
  const before = newest(consumer);
  await vi.waitFor(() => expect(newest(consumer)).not.toBe(before), NOTICED);
}

it('a browser on a line that loses nine packets of ten stays, with sound, and pictures come back', async () => {
  /** How often each packet that did not arrive has been asked for. */
  const missing = new Map<number, number>();
  const lost = () => Math.random() < 0.9;
  const ssrc = ssrcOf(picture.rtpParameters);
  line.onPacket = (of, sequence) => {
    if (of === ssrc && lost()) missing.set(sequence, 0);
  };
  const asking = setInterval(() => {
    const asked = [...missing.keys()];
    // A datagram carries no more.
    for (let at = 0; at < asked.length; at += 250) {
      line.sendRtcp(
        losses(
          ssrc,
          asked.slice(at, at + 250).map((sequence) => [sequence, 0]),
        ),
      );
    }
    for (const [sequence, tries] of missing) {
      if (tries + 1 >= TRIES || !lost()) missing.delete(sequence);
      else missing.set(sequence, tries + 1);
    }
  }, RTT_MS);
  timers.push(asking);
  await vi.waitFor(() => expect(told.mock.calls).toEqual([[picture.id, true]]), NOTICED);
  clearInterval(asking);
  await flows(sound);
  await vi.waitFor(() => expect(told.mock.lastCall).toEqual([picture.id, false]), NOTICED);
  await flows(picture);
  expect(flooded).not.toHaveBeenCalled();
  expect(room.peers).toContain(receiver);
});

it('whoever asks for the same pictures without end is sent none, longer each time, whatever is asked', async () => {
  askWithoutEnd(picture);
  const waits: number[] = [];
  let atChange: number | undefined;
  told.mockImplementation(() => {
    atChange = newest(picture);
  });
  for (const _ of [1, 2]) {
    const changes = told.mock.calls.length;
    await vi.waitFor(() => expect(told.mock.calls.length).toBe(changes + 1), NOTICED);
    expect(told.mock.lastCall).toEqual([picture.id, true]);
    const since = performance.now();
    await picture.setPaused(true);
    await picture.setPaused(false);
    // What was under way is here; nothing comes after it.
    await flows(sound);
    const before = newest(picture);
    await vi.waitFor(() => expect(told.mock.calls.length).toBe(changes + 2), NOTICED);
    expect(atChange).toBe(before);
    waits.push(performance.now() - since);
  }
  expect(waits[1]).toBeGreaterThan(1.5 * (waits[0] ?? 0));
  expect(flooded).not.toHaveBeenCalled();
});

it('two changes at once leave what was asked for last', async () => {
  await flows(picture);
  await Promise.all([picture.setPaused(true), picture.setPaused(false)]);
  await flows(picture);
  await Promise.all([picture.setPaused(true), picture.setPaused(false), picture.setPaused(true)]);
  await flows(sound);
  const before = newest(picture);
  await flows(sound);
  expect(newest(picture)).toBe(before);
});
