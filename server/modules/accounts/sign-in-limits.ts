import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { DeviceId } from '../../../protocol/ids.ts';
import { addressGroup } from '../../address-group.ts';
import { rateLimited } from '../../ws/rate-limits.ts';
import { LIMITS } from './limits.ts';

const QUARTER_HOUR = 15 * 60;
const FIVE_MINUTES = 5 * 60;
/** The one key of what is counted over everybody. */
const ALL = 'all';

/**
 * Slows down who guesses passwords. Failures of strangers count four ways:
 * - an account from one address: few, since people mistype;
 * - an address over all accounts: one password tried on many;
 * - an account over all addresses: many addresses trying one account;
 * - all of them together.
 * A device that has proved itself is counted for itself alone: nobody without its key can use its tries up.
 */
export class SignInLimits {
  readonly #pair: RateLimiterMemory;
  readonly #address: RateLimiterMemory;
  readonly #account: RateLimiterMemory;
  readonly #strangers: RateLimiterMemory;
  readonly #device: RateLimiterMemory;

  /** `factor` widens the limits; 1 in production. */
  constructor(factor: number) {
    const limiter = ({ value }: { readonly value: number }, duration: number) =>
      new RateLimiterMemory({ points: Math.ceil(value * factor), duration });
    this.#pair = limiter(LIMITS.failuresByAccountAndAddress, QUARTER_HOUR);
    this.#address = limiter(LIMITS.failuresByAddress, QUARTER_HOUR);
    this.#account = limiter(LIMITS.failuresByAccount, FIVE_MINUTES);
    this.#strangers = limiter(LIMITS.failuresOfStrangers, FIVE_MINUTES);
    this.#device = limiter(LIMITS.failuresByDevice, QUARTER_HOUR);
  }

  /**
   * Counts an attempt as a failure before the password is looked at, so that many attempts at once do not slip through.
   * `provenDevice`: the device of the account whose key has signed this attempt. Rejects with `rate_limited`. Returns
   * what takes the count back after a success.
   */
  async attempt(username: string, address: string, provenDevice: DeviceId | undefined): Promise<() => Promise<void>> {
    const group = addressGroup(address);
    const own = `${username} ${provenDevice ?? group}`;
    const counted: [RateLimiterMemory, string][] =
      provenDevice === undefined
        ? [
            // What a stranger chooses freely comes last: a refused attempt leaves no entry under a name of their making.
            [this.#address, group],
            [this.#strangers, ALL],
            [this.#account, username],
            [this.#pair, own],
          ]
        : [[this.#device, own]];
    try {
      // Before anything is counted: once all have used theirs up, an address that is new leaves no entry either.
      if (provenDevice === undefined) await this.#requireRoomForStrangers();
      for (const [limiter, key] of counted) await limiter.consume(key);
    } catch (reason) {
      throw rateLimited(reason);
    }
    return async () => {
      const others = counted.slice(0, -1);
      for (const [limiter, key] of counted.slice(-1)) await limiter.delete(key);
      for (const [limiter, key] of others) await limiter.reward(key);
    };
  }

  /** Rejects as the limiter does. */
  async #requireRoomForStrangers(): Promise<void> {
    const all = await this.#strangers.get(ALL);
    // The library says null where nothing was counted.
    if (all && all.consumedPoints >= this.#strangers.points) throw all;
  }
}
