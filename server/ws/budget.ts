import type { Limit } from '../../protocol/limit.ts';
import { setBounded } from '../bounded-map.ts';
import { Bucket } from '../bucket.ts';
import { LIMITS } from './limits.ts';

/** The time of the event loop and the bytes that one account, or one address before sign-in, has used. */
export class Budget {
  readonly #work: Bucket;
  readonly #bytes: Bucket;

  /** `factor` widens it; 1 in production. `now`: milliseconds of `performance.now()`. */
  constructor(factor: number, now: number) {
    const bucket = (perSecond: Limit, burst: Limit) => {
      const wide = { perSecond: perSecond.value * factor, burst: burst.value * factor };
      return new Bucket({ ...wide, longestWaitMs: LIMITS.longestWaitMs.value }, now);
    };
    this.#work = bucket(LIMITS.workMsPerSecond, LIMITS.workBurstMs);
    this.#bytes = bucket(LIMITS.bytesPerSecond, LIMITS.burstBytes);
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
