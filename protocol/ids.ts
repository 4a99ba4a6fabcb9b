import { z } from 'zod';

/** Identifiers are client-made where noted, so that a retried request names the same thing. */

/** RFC 9562 UUID in its one spelling here, lower case: two spellings of one id would be two ids to whoever compares. */
export const Uuid = z.uuid().refine((text) => text === text.toLowerCase(), { message: 'must be lower case' });

/** RFC 9562 UUID; made by the client at sign-up and fixed for the account's life. */
export const UserId = Uuid.brand<'UserId'>();
export type UserId = z.infer<typeof UserId>;

/** Unique within its account; random and client-made, positive 31-bit as libsignal addresses require. */
export const DeviceId = z.int().min(1).max(0x7fffffff).brand<'DeviceId'>();
export type DeviceId = z.infer<typeof DeviceId>;

/** Client-made UUID, persisted before sending: repeating a request under it changes nothing more. */
export const IdempotencyId = Uuid.brand<'IdempotencyId'>();
export type IdempotencyId = z.infer<typeof IdempotencyId>;

/** Client-made UUID; the idempotency id of the send that carried the message. */
export const MessageId = Uuid.brand<'MessageId'>();
export type MessageId = z.infer<typeof MessageId>;

/** Client-made UUID; the idempotency id of `calls.start`. */
export const CallId = Uuid.brand<'CallId'>();
export type CallId = z.infer<typeof CallId>;

/** Server-made UUID of one sign-in; names the session without being able to use it. */
export const SessionId = Uuid.brand<'SessionId'>();
export type SessionId = z.infer<typeof SessionId>;

export interface DeviceAddress {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}
export const DeviceAddress = z.strictObject({ userId: UserId, deviceId: DeviceId });

/** The year 2200, in milliseconds since the Unix epoch. Later times are refused: a `Date` ends at 8.64e15. */
export const LATEST_TIME = 7_258_118_400_000;
/** Milliseconds since the Unix epoch. */
export const Timestamp = z.int().min(0).max(LATEST_TIME);

/**
 * Standard base64 with padding (RFC 4648 section 4) of `min` to `max` bytes. Bits that are no part of a byte are zero
 * (section 3.5), so that one value has one spelling.
 */
export function base64Bytes(min: number, max: number = min) {
  const shortest = Math.ceil(min / 3) * 4;
  const longest = Math.ceil(max / 3) * 4;
  return z
    .string()
    .min(shortest)
    .max(longest)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/)
    .refine((text) => text.length % 4 === 0 && inRange(decodedLength(text), min, max) && isCanonical(text), {
      message: min === max ? `must be base64 of ${min} bytes` : `must be base64 of ${min} to ${max} bytes`,
    });
}

function isCanonical(text: string): boolean {
  if (!text.endsWith('=')) return true;
  return text.endsWith('==') ? /[AQgw]==$/.test(text.slice(-3)) : /[AEIMQUYcgkosw048]=$/.test(text.slice(-2));
}

function decodedLength(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

function inRange(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}
