import { z } from 'zod';

/**
 * WebRTC's parameter objects as mediasoup uses them (W3C ORTC), held to what both sides may safely use. A browser is
 * given them as SDP text, where a line break or a semicolon in a value begins something new (RFC 8866 section 9). So
 * every string has a character class, every number its field's width and every list an end. Unknown fields are dropped:
 * versions differ, and what is not parsed is not passed on.
 */

const uint8 = z.int().min(0).max(0xff);
const uint32 = z.int().min(0).max(0xffff_ffff);
const payloadType = z.int().min(0).max(127);
/** RFC 8285: one-byte headers allow 1 to 14, two-byte headers 1 to 255. */
const extensionId = z.int().min(1).max(255);
const kind = z.enum(['audio', 'video']);

/** Ids of transports, producers and consumers. A consumer's becomes its track's id, which SDP names in `a=msid`. */
export const MediaId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** SDP identification tags: `mid` (RFC 5888) and `rid` (RFC 8851). */
const tag = z.string().regex(/^[A-Za-z0-9_-]{1,16}$/);

/** Most codec parameters (SDP fmtp) of one codec. */
export const MAX_FORMAT_PARAMETERS = 16;
const FormatParameters = z
  .record(
    z.string().regex(/^[A-Za-z0-9-]{1,40}$/),
    z.union([
      z.string().regex(/^[A-Za-z0-9.,:/+_-]{0,64}$/),
      // mediasoup stores integers in 32 bits.
      z.int().min(-0x8000_0000).max(0x7fff_ffff),
      z.number().refine((value) => value % 1 !== 0),
    ]),
  )
  .refine((parameters) => Object.keys(parameters).length <= MAX_FORMAT_PARAMETERS, { message: 'too many' });

const RtcpFeedback = z.object({
  type: z.string().regex(/^[a-z0-9-]{1,32}$/),
  parameter: z
    .string()
    .regex(/^[a-z0-9-]{0,32}$/)
    .optional(),
});
const Codec = z.object({
  mimeType: z.string().regex(/^(audio|video)\/[A-Za-z0-9.+-]{1,32}$/i),
  clockRate: uint32,
  channels: uint8.min(1).optional(),
  parameters: FormatParameters.optional(),
  rtcpFeedback: z.array(RtcpFeedback).max(16).optional(),
});
/** Printable ASCII without spaces, which RFC 3986 holds every URI to. */
const extensionUri = z.string().regex(/^[\x21-\x7e]{1,128}$/);

export const RtpCapabilities = z.object({
  codecs: z
    .array(Codec.extend({ kind, preferredPayloadType: payloadType }))
    .max(32)
    .optional(),
  headerExtensions: z
    .array(
      z.object({
        kind,
        uri: extensionUri,
        preferredId: extensionId,
        preferredEncrypt: z.boolean().optional(),
        direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
      }),
    )
    .max(48)
    .optional(),
});
export type RtpCapabilities = z.infer<typeof RtpCapabilities>;

const Encoding = z.object({
  ssrc: uint32.optional(),
  rid: tag.optional(),
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

export const RtpParameters = z.object({
  mid: tag.optional(),
  codecs: z.array(Codec.extend({ payloadType })).min(1).max(8),
  headerExtensions: z
    .array(
      z.object({
        uri: extensionUri,
        id: extensionId,
        encrypt: z.boolean().optional(),
        parameters: FormatParameters.optional(),
      }),
    )
    .max(16)
    .optional(),
  /** At most the three simulcast layers that the contract knows. */
  encodings: z.array(Encoding).max(3).optional(),
  rtcp: z
    .object({
      cname: z
        .string()
        .regex(/^[A-Za-z0-9+/=_{}-]{0,64}$/)
        .optional(),
      reducedSize: z.boolean().optional(),
    })
    .optional(),
  /** RFC 8830: a stream's id and a track's, or "-". */
  msid: z
    .string()
    .regex(/^[A-Za-z0-9_{}-]{1,64}( [A-Za-z0-9_{}-]{1,64})?$/)
    .optional(),
});
export type RtpParameters = z.infer<typeof RtpParameters>;

export const DtlsParameters = z.object({
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
export type DtlsParameters = z.infer<typeof DtlsParameters>;

/** RFC 8839 section 5.4 (ice-char). */
export const IceParameters = z.object({
  usernameFragment: z.string().regex(/^[A-Za-z0-9+/]{4,256}$/),
  password: z.string().regex(/^[A-Za-z0-9+/]{22,256}$/),
  iceLite: z.boolean().optional(),
});
export type IceParameters = z.infer<typeof IceParameters>;

/** An IP address or a host name. */
const host = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/);
export const IceCandidate = z.object({
  foundation: z.string().regex(/^[A-Za-z0-9+/]{1,32}$/),
  priority: uint32,
  address: host,
  /** What `address` was called before; mediasoup gives both. */
  ip: host,
  protocol: z.enum(['udp', 'tcp']),
  port: z.int().min(1).max(0xffff),
  type: z.enum(['host', 'srflx', 'prflx', 'relay']),
  tcpType: z.enum(['passive', 'active', 'so']).optional(),
});
export type IceCandidate = z.infer<typeof IceCandidate>;
/** Two for each address of the server's machine. */
export const IceCandidates = z.array(IceCandidate).max(64);
