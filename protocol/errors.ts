import { z } from 'zod';

/**
 * Every way in which the server refuses, as a closed union. Codes are for programs; the wording for people
 * lives in the client (`renderer/i18n/`). `message` is for developers and never carries the rejected value.
 */
export const ErrorCode = z.enum([
  // the frame
  'invalid_request',
  'unknown_method',
  'frame_too_large',
  'answer_too_large',
  'protocol_unsupported',
  'hello_required',
  // who asks
  'not_signed_in',
  'session_invalid',
  'device_required',
  'forbidden',
  'rate_limited',
  // the server
  'internal',
  'unavailable',
  'storage_full',
  // accounts
  'invitation_invalid',
  'invitation_expired',
  'invitation_used',
  'username_taken',
  'display_name_taken',
  'credentials_invalid',
  'account_suspended',
  'password_wrong',
  'reset_invalid',
  'last_administrator',
  'account_exists',
  // devices
  'user_unknown',
  'device_unknown',
  'device_list_invalid',
  'device_list_outdated',
  'device_proof_invalid',
  'prekey_invalid',
  'link_request_gone',
  'device_removed_before',
  'device_list_unpublished',
  'clock_wrong',
  // contacts
  'profile_invalid',
  'profile_outdated',
  // chat
  'devices_stale',
  'send_out_of_order',
  'queue_full',
  'quota_sender',
  // calls
  'call_unknown',
  'call_ended',
  'call_full',
  'call_not_joined',
  'media_rejected',
  'too_many_calls',
  'rung_too_often',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** `details` of the codes that carry some. Others carry none. */
export interface ErrorDetails {
  invalid_request: { readonly issues: readonly { readonly path: string; readonly problem: string }[] };
  rate_limited: { readonly retryAfterMs: number };
  protocol_unsupported: { readonly min: number; readonly max: number };
  devices_stale: {
    readonly missing: readonly { readonly userId: string; readonly deviceId: number }[];
    readonly gone: readonly { readonly userId: string; readonly deviceId: number }[];
  };
  /** The accounts of which no device has room. */
  queue_full: { readonly users: readonly string[] };
  quota_sender: { readonly retryAfterMs: number };
}

/** Nobody waits longer for a limit than a day. Milliseconds. */
const MAX_RETRY_MS = 24 * 3_600_000;

type DetailsOf<C extends ErrorCode> = C extends keyof ErrorDetails ? ErrorDetails[C] : undefined;

/** A refusal that may cross the wire. Anything else that is thrown is a bug and becomes `internal`. */
export class ProtocolError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ProtocolError';
  readonly code: C;
  readonly details: DetailsOf<C>;

  constructor(code: C, message: string, ...[details]: DetailsOf<C> extends undefined ? [] : [DetailsOf<C>]) {
    super(message);
    this.code = code;
    this.details = details as DetailsOf<C>;
  }

  /** Narrows an unknown error to one code, with that code's details typed. */
  static is<K extends ErrorCode>(error: unknown, code: K): error is ProtocolError<K> {
    return error instanceof ProtocolError && error.code === code;
  }
}

const DeviceAddresses = z.array(z.object({ userId: z.string().max(64), deviceId: z.int().min(0) })).max(2048);

/** What `details` must be for each code that has some. Reads what a newer server adds, and leaves it out. */
const DETAILS: { readonly [C in keyof ErrorDetails]: z.ZodType<ErrorDetails[C]> } = {
  invalid_request: z.object({
    issues: z.array(z.object({ path: z.string().max(500), problem: z.string().max(500) })).max(50),
  }),
  rate_limited: z.object({ retryAfterMs: z.int().min(0).max(MAX_RETRY_MS) }),
  protocol_unsupported: z.object({ min: z.int(), max: z.int() }),
  devices_stale: z.object({ missing: DeviceAddresses, gone: DeviceAddresses }),
  queue_full: z.object({ users: z.array(z.string().max(64)).max(1024) }),
  quota_sender: z.object({ retryAfterMs: z.int().min(0).max(MAX_RETRY_MS) }),
};

export const WireError = z.strictObject({
  /** Of a newer server there may be codes that are not known here: something failed, and that is all one knows. */
  code: ErrorCode.catch('internal'),
  message: z.string().max(500),
  /** What it is, its code says: see `fromWire`. */
  details: z.unknown().optional(),
});
export type WireError = z.infer<typeof WireError>;

/** Rebuilds the error that the other side threw. Details that are not those of the code make it `internal`. */
export function fromWire({ code, message, details }: WireError): ProtocolError {
  const Any = ProtocolError as unknown as new (code: ErrorCode, message: string, details: unknown) => ProtocolError;
  if (!(code in DETAILS)) return new Any(code, message, undefined);
  const parsed = DETAILS[code as keyof ErrorDetails].safeParse(details);
  return parsed.success ? new Any(code, message, parsed.data) : new ProtocolError('internal', 'malformed details');
}

export function toWire(error: ProtocolError): WireError {
  const details = error.details as WireError['details'];
  return { code: error.code, message: error.message, ...(details === undefined ? {} : { details }) };
}
