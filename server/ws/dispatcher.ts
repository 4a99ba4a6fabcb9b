import type { z } from 'zod';
import { ProtocolError, toWire, type ErrorCode } from '../../protocol/errors.ts';
import { CloseCode, RequestFrame } from '../../protocol/frames.ts';
import { hello } from '../../protocol/hello.ts';
import type { IdempotencyId } from '../../protocol/ids.ts';
import type { Log } from '../log.ts';
import type { Connection } from './connection.ts';
import { answerHello, type HelloDeps } from './hello.ts';
import { invalidRequest } from './issues.ts';
import type { Caller, Permission, RateLimit, RegisteredMethod } from './method.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Replay } from './replay.ts';

/** Requests of one connection that may wait for their answers; beyond them its frames are left unread. */
const MAX_IN_FLIGHT = 256;
/** Malformed frames after which a connection is closed. */
const MAX_FAULTS = 50;
/** Connections come in hundreds from one address where an office shares it. */
const HELLO_LIMIT: RateLimit = { requests: 3000, seconds: 60, by: 'address' };

export interface RequestObserver {
  /** `method` is a known method's name, or "unknown". `outcome` is "ok" or an error code. */
  observe(method: string, outcome: 'ok' | ErrorCode, seconds: number): void;
}

export interface DispatcherDeps {
  readonly methods: readonly RegisteredMethod[];
  readonly hello: HelloDeps;
  readonly limits: RateLimits;
  readonly replay: Replay;
  readonly observer: RequestObserver;
  readonly log: Log;
}

/** Answers frames: which method, may they, not too often, is it well-formed, was it done before; then the handler. */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #methods: ReadonlyMap<string, RegisteredMethod>;
  #draining = false;
  #inFlight = 0;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#methods = new Map(deps.methods.map((method) => [method.method.name, method]));
    if (this.#methods.size !== deps.methods.length) throw new Error('two handlers are registered for one method');
  }

  /** Requests that wait for their answer, on all connections. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on requests are refused with `unavailable`. */
  drain(): void {
    this.#draining = true;
  }

  /** Handles one frame. `settled` is called once it was answered. */
  receive(connection: Connection, data: Buffer, isBinary: boolean, settled: () => void): void {
    const frame = isBinary ? undefined : parseJson(data);
    const parsed = RequestFrame.safeParse(frame);
    if (!parsed.success) {
      this.#fault(connection, frame, parsed.error);
      settled();
      return;
    }
    this.#inFlight++;
    if (++connection.inFlight === MAX_IN_FLIGHT) connection.pause();
    void this.#answer(connection, parsed.data).finally(() => {
      this.#inFlight--;
      if (connection.inFlight-- === MAX_IN_FLIGHT) connection.resume();
      settled();
    });
  }

  async #answer(connection: Connection, { id, method: name, params }: RequestFrame): Promise<void> {
    const started = performance.now();
    const registered = this.#methods.get(name);
    let outcome: 'ok' | ErrorCode = 'ok';
    try {
      if (this.#draining) throw new ProtocolError('unavailable', 'The server is shutting down.');
      if (name === hello.name) {
        await this.#hello(connection, id, params);
      } else {
        const result = await this.#call(connection, registered, params);
        connection.send(`{"id":${id},"result":${JSON.stringify(result)}}`);
      }
    } catch (error) {
      const refusal = error instanceof ProtocolError ? error : this.#bug(error, connection, name, registered);
      outcome = refusal.code;
      connection.send(JSON.stringify({ id, error: toWire(refusal) }));
    }
    const label = registered || name === hello.name ? name : 'unknown';
    this.#deps.observer.observe(label, outcome, (performance.now() - started) / 1000);
  }

  async #hello(connection: Connection, id: number, params: unknown): Promise<void> {
    await this.#deps.limits.take(hello.name, HELLO_LIMIT, connection);
    const parsed = hello.params.safeParse(params);
    if (!parsed.success) throw invalidRequest(parsed.error);
    await answerHello(this.#deps.hello, connection, parsed.data, (result) => {
      connection.send(JSON.stringify({ id, result }));
    });
  }

  async #call(connection: Connection, registered: RegisteredMethod | undefined, params: unknown): Promise<unknown> {
    const { caller } = connection;
    if (!caller) throw new ProtocolError('hello_required', 'Say hello first.');
    if (!registered) throw new ProtocolError('unknown_method', 'There is no such method.');
    checkPermission(registered.permission, caller);
    await this.#deps.limits.take(registered.method.name, registered.limit, connection);
    const parsed = registered.method.params.safeParse(params);
    if (!parsed.success) throw invalidRequest(parsed.error as z.ZodError);
    const work = () => registered.handle(parsed.data as never, caller as never);
    if (registered.replay !== 'connection') return work();
    const { idempotencyId } = parsed.data as { idempotencyId: IdempotencyId };
    return this.#deps.replay.forConnection(caller, registered.method.name, idempotencyId, work);
  }

  #bug(error: unknown, connection: Connection, name: string, registered: RegisteredMethod | undefined): ProtocolError {
    this.#deps.log.error(
      { err: error, connectionId: connection.id, method: registered ? name : 'unknown' },
      'a handler failed',
    );
    return new ProtocolError('internal', 'The server failed to answer; the cause is in its log.');
  }

  #fault(connection: Connection, frame: unknown, error: z.ZodError): void {
    const id = RequestFrame.shape.id.safeParse((frame as { id?: unknown } | null | undefined)?.id);
    connection.send(JSON.stringify({ id: id.data ?? null, error: toWire(invalidRequest(error)) }));
    this.#deps.observer.observe('unknown', 'invalid_request', 0);
    if (++connection.faults >= MAX_FAULTS) connection.close(CloseCode.tooManyErrors, 'too many malformed frames');
  }
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}

function checkPermission(permission: Permission, caller: Caller): void {
  if (permission === 'anyone') return;
  const { session } = caller;
  if (!session) throw new ProtocolError('not_signed_in', 'Sign in first.');
  if (permission === 'account') return;
  if (session.deviceId === null) throw new ProtocolError('device_required', 'Only a linked device may do this.');
  if (permission === 'admin' && session.role !== 'admin')
    throw new ProtocolError('forbidden', 'Only administrators may do this.');
}
