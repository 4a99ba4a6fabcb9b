import { z } from 'zod';
import { WireError } from './errors.ts';

/**
 * The protocol versions this build speaks; `hello` settles on the highest that both sides speak.
 * From 2 on, `chat.send` may name the message that it follows (`SEND_WINDOW_PROTOCOL`).
 */
export const PROTOCOL = { min: 1, max: 2 } as const;

/** From this version on, a device may send before earlier sends are answered: the server keeps their order by `after`. */
export const SEND_WINDOW_PROTOCOL = 2;

/** Largest frame either side accepts, in bytes. A larger one closes that connection (RFC 6455 code 1009). */
export const MAX_FRAME_BYTES = 256 * 1024;

/** The WebSocket's path on the server. */
export const SOCKET_PATH = '/ws';

/** The server pings a connection that has been silent for this long, and closes it after as long again. Milliseconds. */
export const HEARTBEAT_MS = 15_000;

/** WebSocket close codes of ours (RFC 6455 section 7.4.2: 4000 to 4999 are private). */
export const CloseCode = {
  helloTimeout: 4000,
  sessionRevoked: 4001,
  /** The same device connected again; only the newer connection lives. */
  replaced: 4002,
  tooManyErrors: 4003,
} as const;

export const RequestFrame = z.strictObject({
  /** Chosen by the client, unique among its requests in flight on this connection. */
  id: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  method: z.string().min(1).max(64),
  params: z.unknown(),
});
export type RequestFrame = z.infer<typeof RequestFrame>;

export const ResultFrame = z.strictObject({ id: z.int().min(1), result: z.unknown() });
export type ResultFrame = z.infer<typeof ResultFrame>;

/** `id` is null when the offending frame was too broken to tell its id. */
export const ErrorFrame = z.strictObject({ id: z.int().min(1).nullable(), error: WireError });
export type ErrorFrame = z.infer<typeof ErrorFrame>;

export const EventFrame = z.strictObject({
  event: z.string().min(1).max(64),
  params: z.unknown(),
  /** Position in this device's event stream, from 1, without gaps. */
  seq: z.int().min(1),
});
export type EventFrame = z.infer<typeof EventFrame>;

export const ServerFrame = z.union([EventFrame, ResultFrame, ErrorFrame]);
export type ServerFrame = z.infer<typeof ServerFrame>;
