import { AsyncLocalStorage } from 'node:async_hooks';
import { LIMITS } from './limits.ts';

/** On whose behalf statements run. Those with the same one wait in one line. */
export interface Payer {
  /** Counts time for which everybody else waited. Milliseconds; `now` is of `performance.now()`. */
  work(ms: number, now: number): void;
}

/**
 * Shares the one connection to SQLite, whose statements run on the event loop and keep everybody waiting. It goes from
 * line to line: whoever asks for a hundred things gets one done before anybody else waits for a second. After a slice of
 * a turn of the event loop the next statement waits for the next turn, also inside a transaction, since the promises of
 * many requests would run one after the other without a pause. The time of each statement counts for whose it is.
 */
export class Turns {
  readonly #payers = new AsyncLocalStorage<Payer>();
  /** Whose turn is next comes first. */
  readonly #lines = new Map<object, (() => void)[]>();
  #held = false;
  /** When the first statement of this turn of the event loop began; null: none has. */
  #since: number | null = null;
  /** Statements of a transaction that go on in the next turn. */
  #paused: (() => void)[] = [];

  /** Runs `work`, and counts the statements that come of it for `payer`. */
  onBehalfOf<T>(payer: Payer, work: () => T): T {
    return this.#payers.run(payer, work);
  }

  /** Resolves once the connection is the caller's, until `release`. */
  async acquire(): Promise<void> {
    if (!this.#held && this.#lines.size === 0 && !this.#spent) {
      this.#held = true;
      return;
    }
    const whose = this.#payers.getStore() ?? this;
    await new Promise<void>((resolve) => {
      const line = this.#lines.get(whose);
      if (line) line.push(resolve);
      else this.#lines.set(whose, [resolve]);
    });
  }

  release(): void {
    this.#held = false;
    this.#next();
  }

  /** Runs a statement, in this turn of the event loop if there is time. To be called by who holds the connection. */
  async statement<T>(run: () => Promise<T>): Promise<T> {
    if (this.#spent) await new Promise<void>((resolve) => this.#paused.push(resolve));
    const started = performance.now();
    if (this.#since === null) {
      this.#since = started;
      setImmediate(() => this.#turn());
    }
    try {
      return run();
    } finally {
      const now = performance.now();
      // A disk that stands still is nobody's fault.
      this.#payers.getStore()?.work(Math.min(now - started, LIMITS.statementMs.value), now);
    }
  }

  get #spent(): boolean {
    return this.#since !== null && performance.now() - this.#since >= LIMITS.sliceMs.value;
  }

  #turn(): void {
    this.#since = null;
    const paused = this.#paused;
    this.#paused = [];
    for (const resume of paused) resume();
    this.#next();
  }

  #next(): void {
    if (this.#held || this.#spent) return;
    const [first] = this.#lines;
    if (first === undefined) return;
    const [whose, line] = first;
    this.#lines.delete(whose);
    const grant = line.shift();
    if (line.length > 0) this.#lines.set(whose, line);
    this.#held = true;
    grant?.();
  }
}
