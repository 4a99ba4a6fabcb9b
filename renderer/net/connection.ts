import type { EventParamsOf, EventType, Method, ParamsOf, ResultOf } from '../../protocol/method.ts';
import type { hello } from '../../protocol/hello.ts';
import type { ResyncHandler } from './resync.ts';

/** What the person is told about the line to the server. */
export type ConnectionState =
  /** The browser says there is no network, or the last attempts failed. */
  | { readonly kind: 'offline'; readonly retryAt: number | null }
  | { readonly kind: 'connecting' }
  /** Connected, but what was missed is still being fetched. */
  | { readonly kind: 'resynchronising' }
  | { readonly kind: 'online' }
  /** This build is too old (or too new) for the server. */
  | { readonly kind: 'unsupported' }
  /** The same device connected elsewhere, or the session was revoked. It does not reconnect by itself. */
  | { readonly kind: 'ended'; readonly reason: 'replaced' | 'session_revoked' };

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer is given up; 15 s unless told. A line that is lost meanwhile rejects sooner. */
  readonly timeoutMs?: number;
}

/**
 * One WebSocket that keeps itself alive: hello, heartbeats, reconnection with jittered backoff, resumption.
 * Requests made while offline fail with `OfflineError` at once; callers that must not lose anything persist first and
 * retry on `online` (that is the outbox's work).
 */
export interface Connection {
  readonly state: ConnectionState;
  /** The answer to the newest hello, or null before it. */
  readonly welcome: ResultOf<typeof hello> | null;
  /** Calls `listener` at once with the present state, then on every change. Returns the undo. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Events in order; the handler's promise is awaited before the next event of the stream is handed out. */
  on<E extends EventType>(event: E, handler: (params: EventParamsOf<E>) => void | Promise<void>): () => void;
  /**
   * Runs after each hello whose stream was not resumed, and again after a loss of the line that stopped it; the state is
   * `resynchronising` until all have settled.
   */
  onResync(handler: ResyncHandler): () => void;
  /** Rejects with ProtocolError, OfflineError or TimeoutError. */
  request<M extends Method>(method: M, params: ParamsOf<M>, options?: RequestOptions): Promise<ResultOf<M>>;
  /** Starts anew with this session token (or none), for example after signing in. Resolves once hello was answered. */
  restart(session: string | null): Promise<ResultOf<typeof hello>>;
  /** Gives the connection up until the next `restart`. */
  pause(): void;
  close(): void;
}

export class OfflineError extends Error {
  override readonly name = 'OfflineError';
}
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}
