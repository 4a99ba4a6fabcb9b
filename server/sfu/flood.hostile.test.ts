import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RtpParameters } from '../../protocol/media.ts';
import { LIMITS } from './limits.ts';
import type { Peer } from './peer.ts';
import type { Room } from './room.ts';
import { createSfu, type Sfu } from './sfu.ts';
import { RawParticipant } from './testing/raw-participant.ts';
import { losses, rtpPacket } from './testing/rtp-packet.ts';
import { audioParameters, silentLog, singleVideoParameters } from './testing/rtp-parameters.ts';

/** A participant with a client of their own who sends what no call needs, against a real media worker. */
const AUDIO = 111;
const VIDEO = 96;
const SENT_AGAIN = 97;
const NOTICED_MS = 15_000;

let sfu: Sfu;
let room: Room;
let mallory: Peer;
let bob: Peer;
const flooded = vi.fn();
const raw: RawParticipant[] = [];
const timers: NodeJS.Timeout[] = [];

const hearing = () => ({ consumerRemoved: vi.fn(), consumerPaused: vi.fn() });

beforeEach(async () => {
  flooded.mockReset();
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  room = await sfu.createRoom({ lost: vi.fn(), activeSpeaker: vi.fn(), flooded });
  mallory = await room.join('mallory', sfu.rtpCapabilities, hearing());
  bob = await room.join('bob', sfu.rtpCapabilities, hearing());
});
afterEach(async () => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const one of raw.splice(0)) one.close();
  await sfu.close();
});

async function line(peer: Peer, direction: 'sendTransport' | 'receiveTransport'): Promise<RawParticipant> {
  const transport = peer[direction];
  const opened = await RawParticipant.connect(transport, (dtls) => peer.connectTransport(transport.id, dtls));
  raw.push(opened);
  return opened;
}

async function produce(peer: Peer, kind: 'audio' | 'video', rtpParameters: RtpParameters): Promise<number> {
  const source = kind === 'audio' ? 'microphone' : 'camera';
  await peer.produce({ source, kind, rtpParameters, paused: false });
  return rtpParameters.encodings?.[0]?.ssrc ?? 0;
}

/** Sends `count` packets every 10 ms. */
function send(by: RawParticipant, count: number, packet: (sequence: number) => Parameters<typeof rtpPacket>[0]): void {
  let sequence = 0;
  timers.push(
    setInterval(() => {
      for (let n = 0; n < count; n += 1) {
        by.sendRtp(...rtpPacket(packet(sequence)));
        sequence += 1;
      }
    }, 10),
  );
}

/** A picture of `length` bytes a packet, each of which ends a frame that others need. */
const picture = (ssrc: number, length: number) => {
  const payload = Buffer.concat([Buffer.from([0x10, 0x00]), Buffer.alloc(length, 1)]);
  return (sequence: number) => ({ ssrc, sequence, timestamp: sequence * 90, payloadType: VIDEO, payload });
};

/** Further from one packet to the next than a line loses. */
const jumping = (sequence: number) => 5_000 * sequence;

const expelled = (peer: string, by: string) =>
  vi.waitFor(() => expect(flooded.mock.calls).toEqual([[peer, by]]), { timeout: NOTICED_MS, interval: 50 });

describe('a participant is out of the room, and the others stay', () => {
  afterEach(async () => {
    expect(mallory.closed).toBe(true);
    expect(room.peers).toEqual([bob]);
    await produce(bob, 'audio', audioParameters());
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 2 });
  });

  it('who sends more than a sender is told to keep to', async () => {
    const ssrc = await produce(mallory, 'video', singleVideoParameters());
    send(await line(mallory, 'sendTransport'), 40, picture(ssrc, 1_100));
    await expelled('mallory', 'bytes');
  });

  it('who floods the line on which the others are received', async () => {
    const attacker = await line(mallory, 'receiveTransport');
    send(attacker, 40, picture(7, 1_100));
    await expelled('mallory', 'bytes');
  });

  it('who sends thousands of short packets', async () => {
    const ssrc = await produce(mallory, 'audio', audioParameters());
    const payload = Buffer.alloc(30, 1);
    send(await line(mallory, 'sendTransport'), 100, (sequence) => ({ ssrc, sequence, payloadType: AUDIO, payload }));
    await expelled('mallory', 'packets');
  });

  it('who sends thousands of short packets and begins anew all the time', async () => {
    const rtpParameters = audioParameters();
    const ssrc = await produce(mallory, 'audio', rtpParameters);
    const payload = Buffer.alloc(30, 1);
    send(await line(mallory, 'sendTransport'), 100, (sequence) => ({ ssrc, sequence, payloadType: AUDIO, payload }));
    timers.push(setInterval(() => void produce(mallory, 'audio', rtpParameters).catch(() => {}), 300));
    await expelled('mallory', 'packets');
  });

  it('who sends thousands of packets out of all order', async () => {
    const ssrc = await produce(mallory, 'audio', audioParameters());
    const payload = Buffer.alloc(30, 1);

    send(await line(mallory, 'sendTransport'), 100, (sequence) => ({
      ssrc,
      sequence: jumping(sequence),
      payloadType: AUDIO,
      payload,
    }));
    await expelled('mallory', 'packets');
  });

  it.each([
    ['packets that nobody missed', 'packets', 3, false],
    ['packets out of all order', 'packets', 3, true],
    ['packets that are none', 'strays', 0, false],
  ] as const)('who sends again, by the thousand, %s', async (_what, by, length, outOfOrder) => {
    const rtpParameters = singleVideoParameters();
    const ssrc = await produce(mallory, 'video', rtpParameters);
    const again = rtpParameters.encodings?.[0]?.rtx?.ssrc ?? 0;
    const camera = await line(mallory, 'sendTransport');
    camera.sendRtp(...rtpPacket(picture(ssrc, 100)(0)));
    const payload = Buffer.alloc(length);
    const padding = Object.fromEntries([8, 9, 10, 11, 12, 13].map((id) => [id, 'x'.repeat(16)]));
    send(camera, 130, (sequence) => ({
      ssrc: again,
      sequence: outOfOrder ? jumping(sequence) : sequence,
      payloadType: SENT_AGAIN,
      payload,
      extensions: padding,
    }));
    await expelled('mallory', by);
  });

  it('who sends what belongs to no producer', async () => {
    const payload = Buffer.alloc(1_000, 1);
    send(await line(mallory, 'sendTransport'), 18, (sequence) => ({ ssrc: 7, sequence, payloadType: AUDIO, payload }));
    await expelled('mallory', 'strays');
  });

  it('who invents a source with every packet, each of which the media worker would remember', async () => {
    const rtpParameters = audioParameters();
    await produce(mallory, 'audio', rtpParameters);
    const extensions = { 4: rtpParameters.mid ?? '' };
    const payload = Buffer.alloc(100, 1);
    send(await line(mallory, 'sendTransport'), 10, (sequence) => ({
      ssrc: randomInt(1, 0xffff_ffff),
      sequence,
      payloadType: AUDIO,
      payload,
      extensions,
    }));
    await expelled('mallory', 'sources');
  });
});

describe('a participant stays', () => {
  it('who sends all that a sender may', async () => {
    const camera = await line(mallory, 'sendTransport');
    const ssrc = await produce(mallory, 'video', singleVideoParameters());
    // 7 Mbit/s, and sound beside it.
    send(camera, 8, picture(ssrc, 1_100));
    const microphone = await produce(mallory, 'audio', audioParameters());
    const payload = Buffer.alloc(80, 1);
    send(camera, 1, (sequence) => ({ ssrc: microphone, sequence, payloadType: AUDIO, payload }));
    await sleep(4 * LIMITS.trafficEvery.value);
    expect(flooded).not.toHaveBeenCalled();
    expect(room.peers).toEqual([mallory, bob]);
  });

  it('whose browser sends as much as a sender may while the line hangs over which the server hears of the source', async () => {
    const payload = Buffer.alloc(1_000, 1);
    send(await line(mallory, 'sendTransport'), 9, (sequence) => ({ ssrc: 7, sequence, payloadType: VIDEO, payload }));
    await sleep(6 * LIMITS.trafficEvery.value);
    expect(flooded).not.toHaveBeenCalled();
  });

  it('whose browser answers what others send with more than anybody may send', async () => {
    const rtpParameters = singleVideoParameters();
    const producer = await mallory.produce({ source: 'camera', kind: 'video', rtpParameters, paused: false });
    const receiver = await line(bob, 'receiveTransport');
    await (await bob.consume(producer))?.setPaused(false);
    const camera = await line(mallory, 'sendTransport');
    // Almost as much as the share allows.
    const answers = LIMITS.answerShare.value;
    const answer = losses(
      7,
      Array.from({ length: 250 }, (_, n) => [17 * n, 0xffff] as const),
    );
    let answered = 0;
    receiver.onPacket = () => {
      for (let n = 0; n < answers; n += 1) receiver.sendRtcp(answer);
      answered += answers * answer.length;
    };
    const startedAt = performance.now();
    send(camera, 12, picture(rtpParameters.encodings?.[0]?.ssrc ?? 0, 1_100));
    const excess = () => answered - (LIMITS.receivedPerSecond.value * (performance.now() - startedAt)) / 1_000;
    const isTooMuch = () => excess() > 1.3 * LIMITS.receivedBurst.value || flooded.mock.calls.length > 0;
    await expect.poll(isTooMuch, { timeout: 45_000 }).toBe(true);
    await sleep(2 * LIMITS.trafficEvery.value);
    expect(flooded).not.toHaveBeenCalled();
    expect(room.peers).toContain(bob);
  }, 90_000);
});
