import { z } from 'zod';
import { InvitationToken, ResetToken } from '../accounts.ts';
import { Uuid } from '../ids.ts';
import { Nothing } from '../method.ts';
import { ServerOrigin } from './server-address.ts';

/**
 * The bridge between the interface and the desktop shell: every call and event, each with its schema. The shell parses
 * what it receives and what it answers; the interface parses what it is told.
 */

/** Largest secret that is sealed, in bytes: keys, never content. */
export const MAX_SECRET_BYTES = 4096;
/** What sealing may add to it, in bytes. */
const MAX_SEALED_BYTES = 3 * MAX_SECRET_BYTES;

/** Bytes as they are, since both ends speak structured clone. */
function bytes(max: number) {
  return z
    .custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array, { message: 'must be bytes' })
    .refine((value) => value.length >= 1 && value.length <= max, { message: `must be 1 to ${max} bytes` });
}

/** Text that a person reads: no control or bidirectional override characters, line breaks allowed. */
function spokenText(max: number) {
  return z
    .string()
    .max(max)
    .regex(/^[[^\p{Cc}\u202a-\u202e\u2066-\u2069]\n]*$/v);
}

export const ShellDescription = z.strictObject({
  platform: z.enum(['linux', 'mac', 'windows']),
  /** Of the app, for example "0.1.0". */
  version: z.string().min(1).max(40),
  /** Null until the app has been told which server is its own. */
  serverOrigin: ServerOrigin.nullable(),
  /** Where profiles of versions that did not note their server are; null if that is not known. */
  firstServerOrigin: ServerOrigin.nullable().default(null),
  /** `unprotected`: the system keeps no key for us (on Linux: no keyring), so sealing would only be encoding. */
  secretStore: z.enum(['system', 'unprotected']),
});
export type ShellDescription = z.infer<typeof ShellDescription>;

export const ScreenSource = z.strictObject({
  id: z.string().min(1).max(200),
  name: z.string().max(500),
  kind: z.enum(['screen', 'window']),
  /** A small picture of it; null where the system gives none. */
  thumbnail: z
    .string()
    .max(1_000_000)
    .regex(/^data:image\/png;base64,[A-Za-z0-9+/]+={0,2}$/)
    .nullable(),
});
export type ScreenSource = z.infer<typeof ScreenSource>;

export const ScreenRequest = z.strictObject({
  requestId: Uuid,
  sources: z.array(ScreenSource).max(200),
  /** Whether the sound of the computer can be shared with it. */
  canShareAudio: z.boolean(),
});
export type ScreenRequest = z.infer<typeof ScreenRequest>;

export const ScreenChoice = z.strictObject({ sourceId: z.string().min(1).max(200), audio: z.boolean() });
export type ScreenChoice = z.infer<typeof ScreenChoice>;

function call<P extends z.core.$ZodLooseShape, R extends z.ZodType>(params: P, result: R) {
  return { params: z.strictObject(params), result };
}

/** What the interface may ask of the shell. */
export const BRIDGE_CALLS = {
  describe: call({}, ShellDescription),
  /**
   * Kept for good. Where the app has another server already, the shell asks the person first. The page must be loaded
   * anew afterwards: its security policy names the server it may talk to. Errors: `server_refused`.
   */
  setServerOrigin: call({ origin: ServerOrigin }, Nothing),
  /** Errors: `secrets_unprotected`. */
  sealSecret: call({ plain: bytes(MAX_SECRET_BYTES) }, z.strictObject({ sealed: bytes(MAX_SEALED_BYTES) })),
  /** Errors: `secrets_unprotected`, `secret_unreadable` (sealed by another user or machine, or damaged). */
  openSecret: call({ sealed: bytes(MAX_SEALED_BYTES) }, z.strictObject({ plain: bytes(MAX_SECRET_BYTES) })),
  /** A later notification with the same tag takes the place of the earlier one. */
  notify: call({ tag: z.string().min(1).max(200), title: spokenText(200), body: spokenText(1000) }, Nothing),
  setBadge: call({ count: z.int().min(0).max(9999) }, Nothing),
  /** The token that a deep link brought and nobody has taken yet: one of the two at most. */
  takeDeepLink: call({}, z.strictObject({ invitation: InvitationToken.nullable(), reset: ResetToken.nullable() })),
  /** Answers `screenRequested`; `choice` is null if the person cancelled. */
  chooseScreen: call({ requestId: Uuid, choice: ScreenChoice.nullable() }, Nothing),
} as const;

export type BridgeCall = keyof typeof BRIDGE_CALLS;
export type BridgeParams<C extends BridgeCall> = z.infer<(typeof BRIDGE_CALLS)[C]['params']>;
export type BridgeResult<C extends BridgeCall> = z.infer<(typeof BRIDGE_CALLS)[C]['result']>;

/** What the shell tells the interface. */
export const BRIDGE_EVENTS = {
  /** There is something for `takeDeepLink`. */
  deepLinkArrived: z.strictObject({}),
  notificationClicked: z.strictObject({ tag: z.string().min(1).max(200) }),
  /** The page asked to capture the screen and the system has no picker of its own. */
  screenRequested: ScreenRequest,
} as const;

export type BridgeEvent = keyof typeof BRIDGE_EVENTS;
export type BridgeEventParams<E extends BridgeEvent> = z.infer<(typeof BRIDGE_EVENTS)[E]>;

/** Every way in which the shell refuses, as a closed union. Messages are for developers and never carry a value. */
export const BridgeErrorCode = z.enum([
  'call_unknown',
  'sender_refused',
  'params_invalid',
  'server_refused',
  'secrets_unprotected',
  'secret_unreadable',
  'internal',
]);
export type BridgeErrorCode = z.infer<typeof BridgeErrorCode>;

/** A refusal that may cross the bridge. Anything else that is thrown is a bug and becomes `internal`. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: BridgeErrorCode;

  constructor(code: BridgeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Electron keeps of a thrown error only its text, so the code travels in the answer. */
export const BridgeAnswer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({ code: BridgeErrorCode, message: z.string().max(300) }),
  }),
]);
export type BridgeAnswer = z.infer<typeof BridgeAnswer>;

/** What the preload exposes as `globalThis.teahouse`: these functions, and no way to name another channel. */
export type TeahouseBridge = {
  readonly [C in BridgeCall]: (params: BridgeParams<C>) => Promise<unknown>;
} & {
  /** Each returns its undo. What the listener is given is to be parsed. */
  onDeepLinkArrived(listener: (params: unknown) => void): () => void;
  onNotificationClicked(listener: (params: unknown) => void): () => void;
  onScreenRequested(listener: (params: unknown) => void): () => void;
};
