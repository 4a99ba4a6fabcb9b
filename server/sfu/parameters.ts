import { randomInt } from 'node:crypto';
import type { types } from 'mediasoup';
import type { z } from 'zod';
import { ProtocolError } from '../../protocol/errors.ts';
import * as wire from '../../protocol/media.ts';

/**
 * What clients send of WebRTC's parameters, parsed (protocol/media.ts) and reduced to what this server speaks. What
 * others are sent is made from these values; nothing a participant wrote is passed on as it came.
 *
 * mediasoup checks some of this itself, but serialises as it goes into one buffer shared by all requests of a worker:
 * a value that throws half way (a fractional bitrate, a fingerprint that is missing) leaves that buffer unusable, and
 * with it every room of that worker. So nothing unparsed reaches it, and numbers are held to their field's width.
 */

/** Codecs a participant may name. A room speaks fewer (codecs.ts); a client may list what it could do besides. */
const CODECS = new Set(['audio/opus', 'video/vp8', 'video/vp9', 'video/h264', 'video/rtx']);
const flag = /^[01]$/;
const count = /^\d{1,7}$/;
/** Codec parameters that may be named, and what their values look like. Whatever else a client sends is dropped. */
const FORMAT_PARAMETERS: ReadonlyMap<string, RegExp> = new Map([
  // Opus (RFC 7587 section 6.1)
  ['useinbandfec', flag],
  ['usedtx', flag],
  ['stereo', flag],
  ['sprop-stereo', flag],
  ['cbr', flag],
  ['minptime', count],
  ['ptime', count],
  ['maxptime', count],
  ['maxplaybackrate', count],
  ['sprop-maxcapturerate', count],
  ['maxaveragebitrate', count],
  // rtx (RFC 4588 section 8.6)
  ['apt', count],
  ['rtx-time', count],
  // VP9 and H.264 (RFC 6184 section 8.1)
  ['profile-id', count],
  ['packetization-mode', /^[0-2]$/],
  ['level-asymmetry-allowed', flag],
  ['profile-level-id', /^[0-9a-f]{6}$/i],
  // what Chromium begins with, in kbit/s
  ['x-google-start-bitrate', count],
  ['x-google-min-bitrate', count],
  ['x-google-max-bitrate', count],
]);
const FEEDBACK = new Set(['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc']);
const EXTENSIONS = new Set([
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:3gpp:video-orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
]);

type Codec = wire.RtpParameters['codecs'][number] | NonNullable<wire.RtpCapabilities['codecs']>[number];

/** @throws ProtocolError `media_rejected` */
export function parseRtpCapabilities(input: unknown): types.RtpCapabilities {
  const { codecs = [], headerExtensions = [] } = parse(wire.RtpCapabilities, input, 'rtpCapabilities');
  return {
    codecs: codecs.filter(isKnown).map(reduced),
    headerExtensions: headerExtensions.filter(({ uri }) => EXTENSIONS.has(uri)),
  } as types.RtpCapabilities;
}

/**
 * The names of streams (`cname`, `msid`) are left out: mediasoup makes a `cname`, and receivers name streams by the
 * participant's id.
 * @throws ProtocolError `media_rejected`
 */
export function parseRtpParameters(input: unknown): types.RtpParameters {
  const { mid, codecs, headerExtensions = [], encodings, rtcp } = parse(wire.RtpParameters, input, 'rtpParameters');
  if (encodings === undefined || encodings.length === 0) {
    throw new ProtocolError('media_rejected', 'rtpParameters.encodings names no layer');
  }
  if (!codecs.every(isKnown)) throw new ProtocolError('media_rejected', 'rtpParameters.codecs names an unknown codec');
  return {
    ...(mid === undefined ? {} : { mid }),
    codecs: codecs.map(reduced),
    headerExtensions: headerExtensions
      .filter(({ uri }) => EXTENSIONS.has(uri))
      .map(({ uri, id, encrypt }) => ({ uri, id, ...(encrypt === undefined ? {} : { encrypt }) })),
    encodings: encodings.map(namedOnce),
    rtcp: { reducedSize: rtcp?.reducedSize ?? true },
  } as types.RtpParameters;
}

/** @throws ProtocolError `media_rejected` */
export function parseDtlsParameters(input: unknown): types.DtlsParameters {
  return parse(wire.DtlsParameters, input, 'dtlsParameters') as types.DtlsParameters;
}

type Encoding = NonNullable<wire.RtpParameters['encodings']>[number];

/**
 * A layer is known by its `rid` or by its SSRC, never by both. The worker ends when a second source turns up for a
 * layer, and takes an SSRC that is not named for 0, which a packet may carry. So a layer with a `rid` gets an SSRC that
 * nobody is told.
 * @throws ProtocolError `media_rejected`
 */
function namedOnce({ ssrc, rtx, ...encoding }: Encoding): Encoding {
  if (encoding.rid !== undefined) return { ...encoding, ssrc: randomInt(1, 2 ** 32) };
  if (ssrc === undefined || ssrc === 0) {
    throw new ProtocolError('media_rejected', 'rtpParameters.encodings has a layer without a name');
  }
  return { ...encoding, ssrc, ...(rtx === undefined ? {} : { rtx }) };
}

function isKnown({ mimeType }: Codec): boolean {
  return CODECS.has(mimeType.toLowerCase());
}

/** The codec with only those parameters and kinds of feedback that have a meaning here. */
function reduced<C extends Codec>(codec: C): C {
  const parameters = Object.entries(codec.parameters ?? {}).filter(([name, value]) =>
    FORMAT_PARAMETERS.get(name)?.test(String(value)),
  );
  const feedback = (codec.rtcpFeedback ?? []).filter(({ type, parameter = '' }) =>
    FEEDBACK.has(`${type} ${parameter}`.trim()),
  );
  return { ...codec, parameters: Object.fromEntries(parameters), rtcpFeedback: feedback };
}

function parse<S extends z.ZodType>(schema: S, input: unknown, name: string): z.infer<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ProtocolError('media_rejected', `${name} is not valid`);
}
