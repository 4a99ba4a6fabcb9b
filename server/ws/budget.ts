import type { Limit } from '../../protocol/limit.ts';
import { setBounded } from '../bounded-map.ts';
import { LIMITS } from './limits.ts';

/** Use that drains at a steady rate; above `burst` there is to be no more. */
class Bucket {
  #level = 0;
  #at: number;
  readonly #perMs: number;
  readonly #burst: number;

  constructor(perSecond: Limit, burst: Limit, factor: number, now: number) {
    this.#perMs = (perSecond.value * factor) / 1000;
    this.#burst = burst.value * factor;
    this.#at = now;
  }

  spend(amount: number, now: number): void {
    const left = Math.max(0, this.#level - (now - this.#at) * this.#perMs);
    // Bounded, so that those who share an address are not kept out long after the one who used it up has gone.
    this.#level = Math.min(left + amount, this.#burst + LIMITS.longestWaitMs.value * this.#perMs);
    this.#at = now;
  }

  /** Milliseconds until there is room again; 0 if there is. */
  waitMs(): number {
    return Math.max(0, (this.#level - this.#burst) / this.#perMs);
  }
}

/** The time of the event loop and the bytes that one account, or one address before sign-in, has used. */
export class Budget {
  readonly #work: Bucket;
  readonly #bytes: Bucket;

  /** `factor` widens it; 1 in production. `now`: milliseconds of `performance.now()`. */
  constructor(factor: number, now: number) {
    this.#work = new Bucket(LIMITS.workMsPerSecond, LIMITS.workBurstMs, factor, now);
    this.#bytes = new Bucket(LIMITS.bytesPerSecond, LIMITS.burstBytes, factor, now);
  }

  /** Counts bytes that came. Returns the milliseconds until more may come; 0 if now. */
  receive(bytes: number, now: number): number {
    this.#bytes.spend(bytes, now);
    this.#work.spend(0, now);
    return Math.ceil(Math.max(this.#bytes.waitMs(), this.#work.waitMs()));
  }

  /** Counts time for which everybody else waited. Milliseconds. */
  work(ms: number, now: number): void {
    this.#work.spend(ms, now);
  }
}

/** The budgets of those who are connected, or were lately, by name. */
export class Budgets {
  readonly #factor: number;
  readonly #byName = new Map<string, Budget>();

  constructor(factor: number) {
    this.#factor = factor;
  }

  of(name: string): Budget {
    const budget = this.#byName.get(name) ?? new Budget(this.#factor, performance.now());
    // To the end: whoever was not asked for longest is forgotten first.
    this.#byName.delete(name);
    setBounded(this.#byName, name, budget, LIMITS.budgets.value);
    return budget;
  }
}
