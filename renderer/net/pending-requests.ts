import { fromWire, ProtocolError } from '../../protocol/errors.ts';
import type { WireError } from '../../protocol/errors.ts';
import type { Method } from '../../protocol/method.ts';
import { TimeoutError } from './connection.ts';

interface Waiting {
  readonly method: Method;
  readonly first: ((result: never) => void) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly stopTimer: () => void;
}

/** The requests in flight on one connection, by their id. */
export class PendingRequests {
  readonly #waiting = new Map<number, Waiting>();
  readonly #onTimeout: () => void;
  #nextId = 1;

  /** `onTimeout` is told of every request that was never answered: the line may be dead. */
  constructor(onTimeout: () => void) {
    this.#onTimeout = onTimeout;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Registers a request and returns its id with the promise of its answer, which `timeoutMs` later is given up.
   * `first` sees the result at once, before any later frame is looked at (a promise's continuation would be too late).
   */
  add(
    method: Method,
    timeoutMs: number,
    signal?: AbortSignal,
    first?: (result: never) => void,
  ): { id: number; answer: Promise<unknown> } {
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(new TimeoutError(`no answer to ${method.name} within ${timeoutMs} ms`));
        this.#onTimeout();
      }, timeoutMs);
      const abort = () => this.#settle(id)?.reject(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      const stopTimer = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      this.#waiting.set(id, { method, first, resolve, reject, stopTimer });
    });
    return { id, answer };
  }

  /** Hands the result to who waits for it. Returns false if it does not fit the method's schema. */
  succeed(id: number, result: unknown): boolean {
    const waiting = this.#settle(id);
    if (waiting === undefined) return true;
    const parsed = waiting.method.result.safeParse(result);
    if (parsed.success) {
      waiting.first?.(parsed.data as never);
      waiting.resolve(parsed.data);
    } else waiting.reject(new ProtocolError('internal', `malformed answer to ${waiting.method.name}`));
    return parsed.success;
  }

  fail(id: number, error: WireError): void {
    this.#settle(id)?.reject(fromWire(error));
  }

  /** Gives up on everything in flight. */
  failAll(error: Error): void {
    for (const id of this.#waiting.keys()) this.#settle(id)?.reject(error);
  }

  /** Late answers (after a timeout or an abort) find nobody waiting, which is no fault. */
  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    waiting.stopTimer();
    return waiting;
  }
}
