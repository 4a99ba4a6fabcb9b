import type { types } from 'mediasoup';
import { z } from 'zod';
import { ProtocolError } from '../../protocol/errors.ts';

/**
 * Schemas of the WebRTC parameters that clients send (the objects of W3C ORTC as mediasoup uses them).
 *
 * mediasoup checks some of this itself, but serialises as it goes into one buffer shared by all requests of a worker:
 * a value that throws half way (a fractional bitrate, a fingerprint that is missing) leaves that buffer unusable, and
 * with it every room of that worker. So nothing unparsed reaches it, and numbers are held to their field's width.
 */

/** As the wire carries them: JSON objects whose inside the contract leaves open. */
export type JsonObject = Record<string, z.core.util.JSONType>;

const uint8 = z.int().min(0).max(0xff);
const uint32 = z.int().min(0).max(0xffff_ffff);
const payloadType = z.int().min(0).max(127);
/** RFC 8285: one-byte headers allow 1 to 14, two-byte headers 1 to 255. */
const extensionId = z.int().min(1).max(255);

/** Codec parameters (SDP fmtp); mediasoup stores integers in 32 bits. */
const FormatParameters = z.record(
  z.string().max(64),
  z.union([
    z.string().max(256),
    z.int().min(-0x8000_0000).max(0x7fff_ffff),
    z.number().refine((value) => value % 1 !== 0),
  ]),
);
const RtcpFeedback = z.object({ type: z.string().min(1).max(64), parameter: z.string().max(64).optional() });
const Codec = z.object({
  mimeType: z
    .string()
    .max(64)
    .regex(/^(audio|video)\/.+$/i),
  clockRate: uint32,
  channels: uint8.min(1).optional(),
  parameters: FormatParameters.optional(),
  rtcpFeedback: z.array(RtcpFeedback).max(32).optional(),
});

const RtpCapabilities = z.object({
  codecs: z
    .array(Codec.extend({ kind: z.enum(['audio', 'video']), preferredPayloadType: payloadType }))
    .max(128)
    .optional(),
  headerExtensions: z
    .array(
      z.object({
        kind: z.enum(['audio', 'video']),
        uri: z.string().min(1).max(256),
        preferredId: extensionId,
        preferredEncrypt: z.boolean().optional(),
        direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
      }),
    )
    .max(64)
    .optional(),
});

const Encoding = z.object({
  ssrc: uint32.optional(),
  rid: z.string().min(1).max(16).optional(),
  codecPayloadType: payloadType.optional(),
  rtx: z.object({ ssrc: uint32 }).optional(),
  dtx: z.boolean().optional(),
  scalabilityMode: z
    .string()
    .max(16)
    .regex(/^[LS][1-9]\d?T[1-9]\d?(_KEY(_SHIFT)?)?h?$/)
    .optional(),
  maxBitrate: uint32.optional(),
});

const RtpParameters = z.object({
  mid: z.string().min(1).max(16).optional(),
  codecs: z.array(Codec.extend({ payloadType })).min(1).max(8),
  headerExtensions: z
    .array(
      z.object({
        uri: z.enum([
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
        ]),
        id: extensionId,
        encrypt: z.boolean().optional(),
        parameters: FormatParameters.optional(),
      }),
    )
    .max(32)
    .optional(),
  /** At most the three simulcast layers that the contract knows. */
  encodings: z.array(Encoding).max(3).optional(),
  rtcp: z.object({ cname: z.string().max(64).optional(), reducedSize: z.boolean().optional() }).optional(),
  msid: z.string().max(128).optional(),
});

const DtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        /** RFC 8122 section 5: octets in hex, separated by colons. */
        value: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){19,63}$/i),
      }),
    )
    .min(1)
    .max(8),
});

/** @throws ProtocolError `media_rejected` */
export function parseRtpCapabilities(input: JsonObject): types.RtpCapabilities {
  return parse(RtpCapabilities, input, 'rtpCapabilities') as types.RtpCapabilities;
}

/** @throws ProtocolError `media_rejected` */
export function parseRtpParameters(input: JsonObject): types.RtpParameters {
  return parse(RtpParameters, input, 'rtpParameters') as types.RtpParameters;
}

/** @throws ProtocolError `media_rejected` */
export function parseDtlsParameters(input: JsonObject): types.DtlsParameters {
  return parse(DtlsParameters, input, 'dtlsParameters') as types.DtlsParameters;
}

/** mediasoup's own objects are plain data; this says so to the type system. */
export function toJson(value: object): JsonObject {
  return value as JsonObject;
}

function parse<S extends z.ZodType>(schema: S, input: JsonObject, name: string): z.infer<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new ProtocolError('media_rejected', `${name}${path === '' ? '' : `.${path}`} is not valid`.slice(0, 200));
}
