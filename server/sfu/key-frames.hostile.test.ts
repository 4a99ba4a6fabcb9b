import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Consumer } from './consumer.ts';
import { LIMITS } from './limits.ts';
import type { Peer } from './peer.ts';
import { createSfu, type Sfu } from './sfu.ts';
import { RawParticipant } from './testing/raw-participant.ts';
import { pictureLoss, rtpPacket } from './testing/rtp-packet.ts';
import { silentLog, singleVideoParameters } from './testing/rtp-parameters.ts';

/** A participant who asks for another's key frames as fast as the line carries it; each costs the encoder and all lines. */
const ATTACK_MS = 3_000;
/** As often as `calls.setConsumer` may be asked. */
const METHOD_MS = 50;

let sfu: Sfu;
let mallory: Peer;
let camera: RawParticipant;
let attacker: RawParticipant;
let consumer: Consumer;
let filming: NodeJS.Timeout;

beforeEach(async () => {
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  const room = await sfu.createRoom({ lost: vi.fn(), activeSpeaker: vi.fn(), flooded: vi.fn() });
  const hearing = () => ({ consumerRemoved: vi.fn(), consumerPaused: vi.fn() });
  const alice = await room.join('alice', sfu.rtpCapabilities, hearing());
  mallory = await room.join('mallory', sfu.rtpCapabilities, hearing());
  camera = await RawParticipant.connect(alice.sendTransport, (dtls) =>
    alice.connectTransport(alice.sendTransport.id, dtls),
  );
  attacker = await RawParticipant.connect(mallory.receiveTransport, (dtls) =>
    mallory.connectTransport(mallory.receiveTransport.id, dtls),
  );
  const rtpParameters = singleVideoParameters();
  const producer = await alice.produce({ source: 'camera', kind: 'video', rtpParameters, paused: false });
  const consumed = await mallory.consume(producer);
  if (consumed === null) throw new Error('not consumed');
  consumer = consumed;
  filming = film(camera, rtpParameters.encodings?.[0]?.ssrc ?? 0);
  await consumer.setPaused(false);
  await vi.waitFor(() => expect(attacker.bytesReceived).toBeGreaterThan(10_000), 5_000);
});
afterEach(async () => {
  clearInterval(filming);
  camera?.close();
  attacker?.close();
  await sfu.close();
});

/** The worst case: each frame is a key frame, so no request waits for one. */
function film(by: RawParticipant, ssrc: number): NodeJS.Timeout {
  let sequence = 0;
  return setInterval(() => {
    // The start of a partition, then the header of a key frame (RFC 7741 section 4).
    const payload = Buffer.concat([Buffer.from([0x10, 0x00]), Buffer.alloc(600, 1)]);
    by.sendRtp(...rtpPacket({ ssrc, sequence, timestamp: sequence * 900, payloadType: 96, payload }));
    sequence += 1;
  }, 10);
}

/** One at the start, and one each time the delay is over; one more for a run that begins within another's. */
const most = () => Math.ceil(ATTACK_MS / LIMITS.keyFrameEvery.value) + 2;

it('by feedback on the line', async () => {
  camera.pictureLosses = 0;
  const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0;
  const asking = setInterval(() => attacker.sendRtcp(pictureLoss(ssrc)), 5);
  await sleep(ATTACK_MS);
  clearInterval(asking);
  expect(camera.pictureLosses).toBeGreaterThan(0);
  expect(camera.pictureLosses).toBeLessThanOrEqual(most());
});

it('by stopping and starting what is received', async () => {
  camera.pictureLosses = 0;
  for (const until = performance.now() + ATTACK_MS; performance.now() < until; await sleep(METHOD_MS)) {
    await consumer.setPaused(true);
    await consumer.setPaused(false);
  }
  expect(camera.pictureLosses).toBeGreaterThan(0);
  expect(camera.pictureLosses).toBeLessThanOrEqual(most());
});
