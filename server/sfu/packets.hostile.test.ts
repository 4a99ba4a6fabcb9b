import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { ProtocolError } from '../../protocol/errors.ts';
import type { RtpParameters } from '../../protocol/media.ts';
import type { Peer } from './peer.ts';
import { createSfu } from './sfu.ts';
import { RawParticipant } from './testing/raw-participant.ts';
import { rtpPacket, type RtpPacketOptions } from './testing/rtp-packet.ts';
import { audioParameters, silentLog, singleVideoParameters, videoParameters } from './testing/rtp-parameters.ts';

/** Fewer bytes than make the participant leave (limits.ts). */
const RUNS = 3_000;
const hearing = () => ({ consumerRemoved: vi.fn(), consumerPaused: vi.fn() });

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((some) => Buffer.from(some));
/** Types of feedback (RFC 5761 section 4), or anything. */
const feedbackType = fc.oneof(fc.integer({ min: 192, max: 223 }), fc.constantFrom(200, 201, 202, 203, 205, 206, 207));

type Encodings = NonNullable<RtpParameters['encodings']>;
/** Ways to say which packets are of one layer; each had a second way to say it of other packets. */
const SAME_LAYER: [string, Encodings, RtpPacketOptions[]][] = [
  [
    'by rid, then by the SSRC 0 that nobody named',
    [{ rid: 'r0' }],
    [
      { ssrc: 9, sequence: 1, extensions: { 5: 'r0' } },
      { ssrc: 0, sequence: 1 },
    ].map(filmed),
  ],
  [
    'by rid, then by the SSRC that was named',
    [{ rid: 'r0', ssrc: 5 }],
    [
      { ssrc: 9, sequence: 1, extensions: { 5: 'r0' } },
      { ssrc: 5, sequence: 1 },
    ].map(filmed),
  ],
  [
    'by being the only one, then by the SSRC 0 that nobody named',
    [{}],
    [
      { ssrc: 9, sequence: 1 },
      { ssrc: 0, sequence: 1 },
    ].map(filmed),
  ],
  [
    'by being the only one, then by the SSRC 0 that was named',
    [{ ssrc: 0 }],
    [
      { ssrc: 9, sequence: 1 },
      { ssrc: 0, sequence: 1 },
    ].map(filmed),
  ],
];

function filmed(packet: Pick<RtpPacketOptions, 'ssrc' | 'sequence' | 'extensions'>): RtpPacketOptions {
  const payload = Buffer.from([0x10, 0x00, 1, 2, 3, 4, 5, 6]);
  return { ...packet, extensions: { 4: 'm', ...packet.extensions }, payloadType: 96, payload };
}

it.each(SAME_LAYER)('one layer named twice does not end the media worker: %s', async (_name, encodings, packets) => {
  const sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  const lost = vi.fn();
  const room = await sfu.createRoom({ lost, activeSpeaker: vi.fn(), flooded: vi.fn() });
  const mallory = await room.join('mallory', sfu.rtpCapabilities, hearing());
  const { sendTransport } = mallory;
  const up = await RawParticipant.connect(sendTransport, (dtls) => mallory.connectTransport(sendTransport.id, dtls));
  try {
    const rtpParameters = { ...videoParameters(), mid: 'm', encodings };
    const named = await mallory.produce({ source: 'camera', kind: 'video', rtpParameters, paused: false }).then(
      () => 'taken',
      (error: unknown) => (error instanceof ProtocolError ? error.code : error),
    );
    expect(['taken', 'media_rejected']).toContain(named);
    for (const packet of packets) up.sendRtp(...rtpPacket(packet));
    // Whatever came before is dealt with when this is answered.
    for (let round = 0; round < 5; round += 1) await sleep(20).then(() => sfu.dump());
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 2 });
    expect(lost).not.toHaveBeenCalled();
  } finally {
    up.close();
    await sfu.close();
  }
});

/** An encrypted participant whose packets are garbage in everything but their keys. */
it('a media worker survives every packet of somebody who holds the keys', async () => {
  const sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  const lost = vi.fn();
  const room = await sfu.createRoom({ lost, activeSpeaker: vi.fn(), flooded: vi.fn() });
  const mallory = await room.join('mallory', sfu.rtpCapabilities, hearing());
  const bob = await room.join('bob', sfu.rtpCapabilities, hearing());
  const { pids } = sfu;
  const line = (peer: Peer, { id, ...rest }: Peer['sendTransport']) =>
    RawParticipant.connect({ id, ...rest }, (dtls) => peer.connectTransport(id, dtls));
  const up = await line(mallory, mallory.sendTransport);
  const down = await line(mallory, mallory.receiveTransport);
  const other = await line(bob, bob.receiveTransport);
  try {
    const [sound, one, layers] = [audioParameters(), singleVideoParameters(), videoParameters()];
    const sources = [
      await mallory.produce({ source: 'microphone', kind: 'audio', rtpParameters: sound, paused: false }),
      await mallory.produce({ source: 'camera', kind: 'video', rtpParameters: layers, paused: false }),
      await mallory.produce({ source: 'screen', kind: 'video', rtpParameters: one, paused: false }),
    ];
    const heard = await bob.produce({
      source: 'camera',
      kind: 'video',
      rtpParameters: singleVideoParameters(),
      paused: false,
    });
    for (const producer of sources) await (await bob.consume(producer))?.setPaused(false);
    const consumer = await mallory.consume(heard);
    await consumer?.setPaused(false);
    const ssrcs = [sound, one, consumer!.rtpParameters]
      .flatMap(({ encodings = [] }) => encodings.flatMap(({ ssrc, rtx }) => [ssrc, rtx?.ssrc]))
      .filter((ssrc) => ssrc !== undefined);
    const ssrc = fc.oneof(fc.constantFrom(...ssrcs), fc.integer({ min: 0, max: 0xffff_ffff }));
    const mids = fc.constantFrom(...[sound, one, layers].map(({ mid }) => mid ?? ''), '?');
    const extensions = fc.oneof(
      fc.constant({}),
      fc.record({ 4: mids, 5: fc.constantFrom('r0', 'r1', 'r2', 'r9') }),
      fc.dictionary(
        fc.integer({ min: 1, max: 14 }).map(String),
        fc.string({ minLength: 1, maxLength: 16, unit: 'binary-ascii' }),
        { maxKeys: 4 },
      ),
    );
    const rtp = fc.record({
      ssrc,
      sequence: fc.nat(0xffff),
      timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
      payloadType: fc.oneof(fc.constantFrom(96, 97, 111), fc.nat(255)),
      payload: bytes(60),
      extensions,
    });
    const rtcp = fc.record({
      head: fc.nat(255),
      type: feedbackType,
      length: fc.oneof(fc.nat(12), fc.nat(0xffff)),
      ssrc,
      about: ssrc,
      body: bytes(60),
    });
    await fc.assert(
      fc.asyncProperty(rtp, fc.nat(0x3f), rtcp, fc.nat(50), async (media, bits, feedback, turn) => {
        const [packet, headerLength] = rtpPacket(media);
        // Padding, a longer list of contributors or an extension that is not there, one time in three.
        if (turn % 3 === 0) packet[0] = 0x80 | bits;
        up.sendRtp(packet, Math.min(headerLength, packet.length));
        const report = Buffer.concat([Buffer.alloc(12), feedback.body]);
        report[0] = 0x80 | (feedback.head & 0x3f);
        report[1] = feedback.type;
        const words = turn % 2 === 0 ? Math.floor(report.length / 4) - 1 : feedback.length;
        report.writeUInt16BE(words, 2);
        report.writeUInt32BE(feedback.ssrc, 4);
        report.writeUInt32BE(feedback.about, 8);
        (turn % 4 < 2 ? up : down).sendRtcp(report);
        if (turn === 0) await sfu.dump();
      }),
      { numRuns: RUNS },
    );
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 4 });
    expect(sfu.pids).toEqual(pids);
    expect(lost).not.toHaveBeenCalled();
    // Some of it was good enough to be passed on.
    expect(other.sequences.size).toBeGreaterThan(0);
  } finally {
    for (const one of [up, down, other]) one.close();
    await sfu.close();
  }
});
