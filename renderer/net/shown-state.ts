import type { ConnectionState } from './connection.ts';

/** All in milliseconds. */
export interface ShownTimings {
  /** How long an interruption must last to be worth a word. */
  readonly trouble: number;
  /** How long one thing that is said must have been so before the next. */
  readonly change: number;
  /** How long all must be well before nothing is said any more. */
  readonly well: number;
}

const TIMINGS: ShownTimings = { trouble: 2000, change: 700, well: 700 };

const WELL: ConnectionState = { kind: 'online' };

/**
 * What people are told about the line, without flicker: a short interruption is not worth a word, and what is said stays
 * until something else has been so for a moment. Begins as if all were well; `show` is told of each change.
 */
export class ShownState {
  readonly #timings: ShownTimings;
  readonly #show: (state: ConnectionState) => void;
  #shown: ConnectionState = WELL;
  #state: ConnectionState = WELL;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Since when it has not been well. */
  #since: number | null = null;

  constructor(show: (state: ConnectionState) => void, timings: Partial<ShownTimings> = {}) {
    this.#show = show;
    this.#timings = { ...TIMINGS, ...timings };
  }

  /** The connection's state is this now. */
  is(state: ConnectionState): void {
    this.#state = state;
    clearTimeout(this.#timer);
    if (state.kind === 'online') this.#since = null;
    else this.#since ??= Date.now();
    if (state.kind === this.#shown.kind) return;
    const wait = this.#wait();
    if (wait <= 0) this.#now();
    else this.#timer = setTimeout(() => this.#now(), wait);
  }

  #wait(): number {
    const { trouble, change, well } = this.#timings;
    // These stay until something is done.
    if (this.#state.kind === 'ended' || this.#state.kind === 'unsupported') return 0;
    if (this.#state.kind === 'online') return well;
    return this.#shown.kind === 'online' ? trouble - (Date.now() - (this.#since ?? Date.now())) : change;
  }

  #now(): void {
    this.#shown = this.#state;
    this.#show(this.#state);
  }
}
