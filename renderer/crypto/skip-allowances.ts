import { SkipBudget } from '../../crypto/sessions/skip-budget.ts';
import { LIMITS } from './limits.ts';

const { skippedKeysSaved, skippedKeysPerSecond, skippedKeysAlways, countedSenders } = LIMITS;

interface Allowance {
  readonly keys: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/**
 * How many skipped messages each sending device may still make this one derive keys for, so that garbage costs a bounded
 * time however much of it comes. A few are always allowed: what is merely out of order is read in any case.
 */
export class SkipAllowances {
  readonly #bySender = new Map<string, Allowance>();

  /** What one message of that device may cost. */
  budgetOf(sender: string, now: number): SkipBudget {
    return new SkipBudget(Math.max(skippedKeysAlways.value, Math.floor(this.#allowed(sender, now))));
  }

  /** After it was tried, whether or not it could be read. */
  charge(sender: string, { spent }: SkipBudget, now: number): void {
    if (spent === 0) return;
    const keys = Math.max(0, this.#allowed(sender, now) - spent);
    // Whoever cost something last is forgotten last.
    this.#bySender.delete(sender);
    this.#bySender.set(sender, { keys, at: now });
    for (const oldest of this.#bySender.keys()) {
      if (this.#bySender.size <= countedSenders.value) break;
      this.#bySender.delete(oldest);
    }
  }

  #allowed(sender: string, now: number): number {
    const known = this.#bySender.get(sender);
    if (known === undefined) return skippedKeysSaved.value;
    const earned = (Math.max(0, now - known.at) / 1000) * skippedKeysPerSecond.value;
    return Math.min(skippedKeysSaved.value, known.keys + earned);
  }
}
