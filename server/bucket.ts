export interface BucketOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** However much was spent, there is room again after this time. */
  readonly longestWaitMs: number;
  /** Uses of at least `from` count in full, until the wait for room is this long. Without it none does. */
  readonly inFull?: { readonly from: number; readonly longestWaitMs: number };
}

/** Use that drains at a steady rate; above `burst` there is to be no more. Times are of `performance.now()`. */
export class Bucket {
  #level = 0;
  #at: number;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #highest: number;
  readonly #inFull: { readonly from: number; readonly highest: number };

  constructor({ perSecond, burst, longestWaitMs, inFull }: BucketOptions, now: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#highest = burst + longestWaitMs * this.#perMs;
    const longest = inFull?.longestWaitMs ?? longestWaitMs;
    this.#inFull = { from: inFull?.from ?? Infinity, highest: burst + longest * this.#perMs };
    this.#at = now;
  }

  spend(amount: number, now: number): void {
    const left = Math.max(0, this.#level - (now - this.#at) * this.#perMs);
    // Bounded, so that those who share an address are not kept out long after the one who used it up has gone.
    const highest = amount < this.#inFull.from ? this.#highest : this.#inFull.highest;
    this.#level = Math.max(left, Math.min(left + amount, highest));
    this.#at = now;
  }

  /** Milliseconds until there is room again, counted from the last use; 0 if there is. */
  waitMs(): number {
    return Math.max(0, (this.#level - this.#burst) / this.#perMs);
  }
}
