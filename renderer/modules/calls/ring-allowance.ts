import { LIMITS } from './limits.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Counts the unanswered rings that are worth an entry and an answer. See `LIMITS.ringsAnHour`. */
export class RingAllowance {
  #times: readonly number[] = [];

  /** Whether there may be one more now (milliseconds since the Unix epoch); counts it if so. */
  take(now: number): boolean {
    // A clock that was set back must not keep old ones for ever.
    const recent = this.#times.filter((time) => Math.abs(now - time) < HOUR_MS);
    const isAllowed = recent.length < LIMITS.ringsAnHour.value;
    this.#times = isAllowed ? [...recent, now] : recent;
    return isAllowed;
  }
}
