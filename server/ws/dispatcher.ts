import type { z } from 'zod';
import { ProtocolError, toWire, type ErrorCode } from '../../protocol/errors.ts';
import { CloseCode, type RequestFrame } from '../../protocol/frames.ts';
import { hello } from '../../protocol/hello.ts';
import type { IdempotencyId } from '../../protocol/ids.ts';
import type { Log } from '../log.ts';
import type { Payer } from '../store/turns.ts';
import { checkPermission } from './capabilities.ts';
import type { Connection } from './connection.ts';
import { frameCost, type FrameCost } from './frame-cost.ts';
import { isTooLong } from './frame-length.ts';
import { answerHello, type HelloDeps } from './hello.ts';
import { invalidRequest } from './issues.ts';
import { LIMITS } from './limits.ts';
import type { Caller, CallerSession, RateLimit, RegisteredMethod } from './method.ts';
import { tooManyRequests, type RateLimits } from './rate-limits.ts';
import { idOf, readFrame, readHead, type Head } from './read-frame.ts';
import type { Replay } from './replay.ts';

export const HELLO_LIMIT: RateLimit = {
  requests: 3000,
  seconds: 60,
  by: 'address',
  reason: 'Connections come in hundreds from one address where an office shares it.',
};

/** Under a name of its own, so that those without a session do not use it up. */
const SESSION_HELLO = 'hello with a session';
const SESSION_HELLO_LIMIT: RateLimit = { requests: LIMITS.hellosOfAccount.value, seconds: 60, by: 'account' };

export interface RequestObserver {
  /** `method` is a known method's name, or "unknown". `outcome` is "ok" or an error code. */
  observe(method: string, outcome: 'ok' | ErrorCode, seconds: number): void;
}

export interface DispatcherDeps {
  readonly methods: readonly RegisteredMethod[];
  readonly hello: HelloDeps;
  /** Runs `work`, which asks the database on behalf of `payer`. */
  readonly onBehalfOf: <T>(payer: Payer, work: () => T) => T;
  readonly limits: RateLimits;
  readonly replay: Replay;
  readonly observer: RequestObserver;
  readonly log: Log;
}

/**
 * Answers frames. Before one is parsed: is there room in the sender's budget, and is it no longer and no more nested than
 * its method can need. Then: which method, may they, not too often, is it well-formed, was it done before; then the handler.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #methods: ReadonlyMap<string, RegisteredMethod>;
  readonly #costs: ReadonlyMap<string, FrameCost>;
  #draining = false;
  #inFlight = 0;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#methods = new Map(deps.methods.map((method) => [method.method.name, method]));
    if (this.#methods.size !== deps.methods.length) throw new Error('two handlers are registered for one method');
    this.#costs = new Map([hello, ...deps.methods.map(({ method }) => method)].map((m) => [m.name, frameCost(m)]));
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
    const started = performance.now();
    const head = isBinary ? null : readHead(data);
    const isFree = connection.isGreeting(head?.method === hello.name, data.length);
    const waitMs = isFree ? 0 : connection.budget.receive(data.length, started);
    const request =
      waitMs > 0 ? this.#throttle(connection, head, waitMs) : this.#read(connection, data, isBinary, head);
    const now = performance.now();
    if (!isFree) connection.budget.work(now - started, now);
    if (!request) return settled();
    this.#inFlight++;
    if (++connection.inFlight === LIMITS.inFlight.value) connection.pause();
    void this.#answerFor(connection, request, started).finally(() => {
      this.#inFlight--;
      if (connection.inFlight-- === LIMITS.inFlight.value) connection.resume();
      settled();
    });
  }

  /** The budget is used up: the frame is not even parsed, and no more are read for a moment. */
  #throttle(connection: Connection, head: Head | null, waitMs: number): null {
    if (!connection.caller?.session && ++connection.refusals >= LIMITS.strangerRefusals.value) {
      connection.terminate();
      return null;
    }
    this.#refuse(connection, head?.id ?? null, tooManyRequests(waitMs));
    connection.pauseFor(Math.min(waitMs, LIMITS.pauseMs.value));
    return null;
  }

  /** Null if the frame was refused. */
  #read(connection: Connection, data: Buffer, isBinary: boolean, head: Head | null): RequestFrame | null {
    try {
      if (isBinary) throw invalidFrame();
      // Whoever may not call the method costs no more than being told so.
      const registered = head ? this.#methods.get(head.method) : undefined;
      if (registered && data.length > LIMITS.headlessFrameBytes.value) mayCall(connection, registered);
      return readFrame(data, head, head ? this.#costs.get(head.method) : undefined);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(connection, isBinary ? null : idOf(data, head), error);
      // A request that is refused for what it asks is no broken frame.
      const broken = error.code === 'invalid_request' || head === null;
      if (broken && ++connection.faults >= LIMITS.faults.value)
        connection.close(CloseCode.tooManyErrors, 'too many malformed frames');
      return null;
    }
  }

  #answerFor(connection: Connection, request: RequestFrame, started: number): Promise<void> {
    const answer = () => this.#answer(connection, request, started);
    // To enter the context of the caller costs a tenth of what may be sent, and there it is not needed.
    if (this.#methods.get(request.method)?.batched) return answer();
    return this.#deps.onBehalfOf(connection.payer, answer);
  }

  async #answer(connection: Connection, { id, method: name, params }: RequestFrame, started: number): Promise<void> {
    const registered = this.#methods.get(name);
    let outcome: 'ok' | ErrorCode = 'ok';
    try {
      if (this.#draining) throw new ProtocolError('unavailable', 'The server is shutting down.');
      if (name === hello.name) {
        await this.#hello(connection, id, params);
      } else {
        const result = await this.#call(connection, registered, params);
        const answering = performance.now();
        connection.send(this.#answerFrame(id, result, name));
        const now = performance.now();
        connection.budget.work(now - answering, now);
      }
    } catch (error) {
      const refusal = error instanceof ProtocolError ? error : this.#bug(error, connection, name, registered);
      outcome = refusal.code;
      // Cheap to ask for, and most of what it costs passes where nobody measures.
      if (outcome === 'rate_limited') connection.budget.work(LIMITS.refusalMs.value, performance.now());
      connection.send(JSON.stringify({ id, error: toWire(refusal) }));
    }
    const label = registered || name === hello.name ? name : 'unknown';
    this.#deps.observer.observe(label, outcome, (performance.now() - started) / 1000);
  }

  /** A client closes the connection at a frame that is too long; so the one request fails instead. */
  #answerFrame(id: number, result: unknown, method: string): string {
    const frame = `{"id":${id},"result":${JSON.stringify(result)}}`;
    if (!isTooLong(frame)) return frame;
    this.#deps.log.error({ method, characters: frame.length }, 'an answer is too long for a frame');
    throw new ProtocolError('answer_too_large', 'The answer is too long to be sent; ask for less.');
  }

  async #hello(connection: Connection, id: number, params: unknown): Promise<void> {
    const parsed = hello.params.safeParse(params);
    // Once for each connection a session is looked up first: whose hello it is decides with whom it counts.
    const isClaim =
      parsed.success && parsed.data.session !== undefined && !connection.claimed && !connection.caller?.session;
    if (isClaim) connection.claimed = true;
    else await this.#countHello(connection, connection.caller?.session ?? null);
    if (!parsed.success) throw invalidRequest(parsed.error);
    const admit = async (session: CallerSession | null) => {
      if (isClaim) await this.#countHello(connection, session);
    };
    await answerHello(this.#deps.hello, connection, parsed.data, admit, (result) => {
      connection.send(JSON.stringify({ id, result }));
    });
  }

  /** With the others of the account that are counted with it, or with the strangers behind the address. */
  async #countHello(connection: Connection, session: CallerSession | null): Promise<void> {
    const { limits } = this.#deps;
    if (session) return limits.take(SESSION_HELLO, SESSION_HELLO_LIMIT, connection, session);
    await limits.take(hello.name, HELLO_LIMIT, connection);
  }

  async #call(connection: Connection, registered: RegisteredMethod | undefined, params: unknown): Promise<unknown> {
    const caller = mayCall(connection, registered);
    if (!registered) throw new ProtocolError('unknown_method', 'There is no such method.');
    await this.#deps.limits.take(registered.method.name, registered.limit, connection);
    const started = performance.now();
    try {
      const parsed = registered.method.params.safeParse(params);
      if (!parsed.success) throw invalidRequest(parsed.error as z.ZodError);
      const work = () => registered.handle(parsed.data as never, caller as never);
      // Not awaited here: only until its first wait does the handler keep others waiting.
      if (registered.replay !== 'connection') return work();
      const { idempotencyId } = parsed.data as { idempotencyId: IdempotencyId };
      return this.#deps.replay.forConnection(caller, registered.method.name, idempotencyId, work);
    } finally {
      const now = performance.now();
      connection.budget.work(now - started, now);
    }
  }

  #bug(error: unknown, connection: Connection, name: string, registered: RegisteredMethod | undefined): ProtocolError {
    this.#deps.log.error(
      { err: error, connectionId: connection.id, method: registered ? name : 'unknown' },
      'a handler failed',
    );
    return new ProtocolError('internal', 'The server failed to answer; the cause is in its log.');
  }

  #refuse(connection: Connection, id: number | null, refusal: ProtocolError): void {
    connection.send(JSON.stringify({ id, error: toWire(refusal) }));
    this.#deps.observer.observe('unknown', refusal.code, 0);
  }
}

/** Throws `hello_required`, or what `checkPermission` throws. */
function mayCall({ caller }: Connection, registered: RegisteredMethod | undefined): Caller {
  if (!caller) throw new ProtocolError('hello_required', 'Say hello first.');
  if (registered) checkPermission(registered, caller);
  return caller;
}

function invalidFrame(): ProtocolError<'invalid_request'> {
  const issues = [{ path: '', problem: 'must be a text frame' }];
  return new ProtocolError('invalid_request', 'Frames are text.', { issues });
}
