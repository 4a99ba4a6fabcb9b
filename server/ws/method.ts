import type { Role } from '../../protocol/accounts.ts';
import type { DeviceId, SessionId, UserId } from '../../protocol/ids.ts';
import type { Method, ParamsOf, ResultOf } from '../../protocol/method.ts';
import type { Payer } from '../store/turns.ts';
import type { Capability } from './capabilities.ts';

/** Who is asking: one WebSocket connection, and what its hello proved. */
export interface Caller {
  /** Server-made UUID; new with every connection. */
  readonly connectionId: string;
  /** The peer's IP address as text (after the trusted proxy, if one is configured). */
  readonly address: string;
  /** What the connection must sign to prove a device; base64 of 32 bytes. */
  readonly challenge: string;
  /** The client's own description from hello. */
  readonly client: string;
  readonly session: CallerSession | null;
  /** For whom the time counts that its requests take of the database. */
  readonly payer: Payer;
}

export interface CallerSession {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly role: Role;
  readonly deviceId: DeviceId | null;
}

/** What each permission guarantees to the handler. */
export interface CallerOf {
  /** Anybody who said hello. */
  anyone: Caller;
  /** Signed in, with or without a linked device. */
  account: Caller & { readonly session: CallerSession };
  /** Signed in as a device on the account's list. */
  device: Caller & { readonly session: CallerSession & { readonly deviceId: DeviceId } };
  /** As `device`, and the account is an administrator. */
  admin: Caller & { readonly session: CallerSession & { readonly deviceId: DeviceId } };
}
export type Permission = keyof CallerOf;

/**
 * At most `requests` in each `seconds`, counted by the peer's address or by the account, its sessions without a device
 * apart (by connection before sign-in).
 */
export interface RateLimit {
  readonly requests: number;
  readonly seconds: number;
  readonly by: 'address' | 'account';
  /** Why it is not higher, and not lower: one sentence for docs/limits.md, where the class's own does not say it. */
  readonly reason?: string;
}

/**
 * How repeats of a `keyed` method are recognised. `connection`: the first answer is kept in memory, for what lives no
 * longer than a connection, as media does. `own`: the handler keeps it, in the transaction of the effect (`once`).
 */
export type ReplayKind = 'connection' | 'own';

interface BaseOptions<M extends Method, P extends Permission> {
  readonly permission: P;
  /** What it is for, where it is for guests too; without it no guest may. See capabilities.ts. */
  readonly capability?: Capability;
  readonly limit: RateLimit;
  /** It asks the database together with others' requests, and counts for each caller their share of the time. */
  readonly batched?: true;
  /** Throws ProtocolError to refuse; anything else thrown is a bug, logged, and answered with `internal`. */
  readonly handle: (params: ParamsOf<M>, caller: CallerOf[P]) => Promise<ResultOf<M>>;
}
export type MethodOptions<M extends Method, P extends Permission> = BaseOptions<M, P> &
  (M['effect'] extends 'keyed' ? { readonly replay: ReplayKind } : { readonly replay?: never });

/** A method with its schema, permission, limit and handler in one place. */
export interface RegisteredMethod {
  readonly method: Method;
  readonly permission: Permission;
  readonly capability?: Capability;
  readonly limit: RateLimit;
  readonly batched?: true;
  readonly replay?: ReplayKind;
  readonly handle: (params: never, caller: never) => Promise<unknown>;
}

export function register<M extends Method, P extends Permission>(
  method: M,
  options: MethodOptions<M, P>,
): RegisteredMethod {
  return { method, ...options } as unknown as RegisteredMethod;
}
