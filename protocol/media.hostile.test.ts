import { describe, expect, it } from 'vitest';
import { ConsumerOptions, TransportOptions } from './calls.ts';
import { RtpCapabilities } from './media.ts';

/** What a hostile server gives a client: every string here becomes part of SDP that a browser parses. */
const LINE = 'x\r\na=candidate:1 1 udp 2122260223 203.0.113.9 9 typ host';
const value = Array(32).fill('ab').join(':');
const candidate = {
  foundation: 'udpcandidate',
  priority: 1,
  ip: '192.0.2.1',
  address: '192.0.2.1',
  protocol: 'udp',
  port: 1,
  type: 'host',
};
const transport = {
  id: 'one',
  iceParameters: { usernameFragment: 'abcd', password: 'a'.repeat(22), iceLite: true },
  iceCandidates: [candidate],
  dtlsParameters: { role: 'auto', fingerprints: [{ algorithm: 'sha-256', value }] },
};
const codec = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, parameters: { usedtx: 1 } };
const consumer = {
  consumerId: 'c',
  producerId: 'p',
  participantId: '00000000-0000-4000-8000-000000000001',
  source: 'microphone',
  kind: 'audio',
  rtpParameters: { mid: '0', codecs: [codec], encodings: [{ ssrc: 1 }], rtcp: { cname: 'abc', reducedSize: true } },
  producerPaused: false,
};

/** The object with one value in it replaced. */
function replaced(whole: object, path: string, by: unknown): unknown {
  const copy = structuredClone(whole) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, copy);
  parent[last] = by;
  return copy;
}

describe('what the server describes', () => {
  it('is taken, also with fields that are not known yet', () => {
    expect(TransportOptions.parse(replaced(transport, 'iceParameters.later', 1))).toEqual(transport);
    const later = replaced(consumer, 'rtpParameters.codecs.0.mimeType', 'video/AV2');
    expect(ConsumerOptions.safeParse(later).success).toBe(true);
  });

  it.each([
    'id',
    'iceParameters.usernameFragment',
    'iceParameters.password',
    'iceCandidates.0.foundation',
    'iceCandidates.0.ip',
    'iceCandidates.0.address',
    'iceCandidates.0.protocol',
    'iceCandidates.0.type',
    'iceCandidates.0.tcpType',
    'dtlsParameters.role',
    'dtlsParameters.fingerprints.0.algorithm',
    'dtlsParameters.fingerprints.0.value',
  ])('adds no line to a transport: %s', (path) => {
    for (const text of [LINE, `${value}\r\n`, 'a b', 'a;b', 'a\u0000', '\u202e', 'x'.repeat(100_000)]) {
      expect(TransportOptions.safeParse(replaced(transport, path, text)).success).toBe(false);
    }
  });

  it.each([
    'consumerId',
    'producerId',
    'participantId',
    'rtpParameters.mid',
    'rtpParameters.codecs.0.mimeType',
    'rtpParameters.codecs.0.parameters.usedtx',
    'rtpParameters.encodings.0.rid',
    'rtpParameters.encodings.0.scalabilityMode',
    'rtpParameters.rtcp.cname',
    'rtpParameters.msid',
  ])('adds no line to a consumer: %s', (path) => {
    for (const text of [LINE, 'abc\r\n', 'a;b', 'a\u0000', '\u202e', 'x'.repeat(100_000)]) {
      expect(ConsumerOptions.safeParse(replaced(consumer, path, text)).success).toBe(false);
    }
  });

  it('adds no line to what this browser can receive', () => {
    const extension = { kind: 'audio', uri: LINE, preferredId: 1 };
    expect(RtpCapabilities.safeParse({ headerExtensions: [extension] }).success).toBe(false);
    const named = { ...codec, kind: 'audio', preferredPayloadType: 100, parameters: { [LINE]: 1 } };
    expect(RtpCapabilities.safeParse({ codecs: [named] }).success).toBe(false);
  });
});
