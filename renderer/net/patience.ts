import { backoffMs } from './backoff.ts';
import type { Timings } from './timings.ts';

/** A silence that ended so many connections in a row makes the next wait eight times as long, and no more. */
const MOST_PATIENCE = 8;

/** What was learned from attempts that failed: how long to wait before the next, and how long for its answers. */
export class Patience {
  readonly #timings: Timings;
  readonly #random: () => number;
  #attempt = 0;
  /** Attempts in a row that ended because hello was not answered in time. */
  #slowHellos = 0;
  /** Connections in a row that fell silent right after their hello. */
  #silences = 0;
  /** When a connection was given up that may still reach the server. */
  #gaveUpAt: number | null = null;

  constructor(timings: Timings, random: () => number) {
    this.#timings = timings;
    this.#random = random;
  }

  /** Something is different now: the next failure is the first. */
  reset(): void {
    this.#attempt = 0;
    this.#slowHellos = 0;
  }

  /** The backoff before the next attempt. Milliseconds. */
  nextWait(): number {
    const { firstWait, longestWait } = this.#timings;
    const wait = backoffMs(this.#attempt, this.#random, firstWait, longestWait);
    this.#attempt += 1;
    return wait;
  }

  /** How long hello may take. Twice as long after each attempt that was too slow: perhaps the line is. Milliseconds. */
  get helloMs(): number {
    return Math.min(this.#timings.connect * 2 ** this.#slowHellos, this.#timings.longestConnect);
  }

  /** By how much silence on an open connection may last longer than usual. */
  get factor(): number {
    return Math.min(2 ** this.#silences, MOST_PATIENCE);
  }

  welcomed(): void {
    this.#slowHellos = 0;
  }

  /** The connection has lived for some time. */
  stable(): void {
    this.#attempt = 0;
  }

  helloTooSlow(): void {
    this.#slowHellos = Math.min(this.#slowHellos + 1, 16);
  }

  /** A connection fell silent. `progress`: something had come after its hello; else the line may be too slow for it. */
  silent(progress: boolean): void {
    this.#silences = progress ? 0 : this.#silences + 1;
  }

  /** A connection that had said hello was given up for another. */
  gaveUp(): void {
    this.#gaveUpAt = Date.now();
  }

  /** Whether what replaced a connection may be one of this client's own, given up before and come to the server late. */
  wasStraggler(): boolean {
    const gaveUpAt = this.#gaveUpAt;
    this.#gaveUpAt = null;
    return gaveUpAt !== null && Date.now() - gaveUpAt < this.#timings.straggler;
  }
}
