import type { DtlsParameters, RtpParameters } from '../../../protocol/media.ts';

/** RTP parameters as a browser would send them, for tests without a browser. */
let nextSsrc = 100_000;
let nextMid = 0;

export function audioParameters(): RtpParameters {
  return {
    mid: String(nextMid++),
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: 111,
        clockRate: 48_000,
        channels: 2,
        parameters: { useinbandfec: 1, usedtx: 1, minptime: 10 },
        rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
      },
    ],
    headerExtensions: [
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 },
      { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 },
    ],
    encodings: [{ ssrc: nextSsrc++, dtx: true }],
    rtcp: { cname: 'test', reducedSize: true },
  };
}

/** VP8 in three simulcast layers. */
export function videoParameters(): RtpParameters {
  return {
    mid: String(nextMid++),
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: 96,
        clockRate: 90_000,
        parameters: {},
        rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }],
      },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 }, rtcpFeedback: [] },
    ],
    headerExtensions: [
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 },
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 5 },
      { uri: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id', id: 6 },
    ],
    encodings: ['r0', 'r1', 'r2'].map((rid, layer) => ({
      rid,
      scalabilityMode: 'L1T3',
      maxBitrate: 150_000 * 4 ** layer,
    })),
    rtcp: { cname: 'test', reducedSize: true },
  };
}

/** VP8 in one layer under a known SSRC. */
export function singleVideoParameters(): RtpParameters {
  return { ...videoParameters(), encodings: [{ ssrc: nextSsrc++, rtx: { ssrc: nextSsrc++ } }] };
}

/** A client's DTLS role and certificate fingerprint. */
export function dtlsParameters(): DtlsParameters {
  const value = Array.from({ length: 32 }, (_, n) => n.toString(16).padStart(2, '0')).join(':');
  return { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] };
}

export const silentLog = { debug() {}, info() {}, warn() {}, error() {} };
