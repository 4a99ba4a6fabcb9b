import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { DeviceId } from '../../../protocol/ids.ts';
import { addressGroup } from '../../address-group.ts';
import { rateLimited } from '../../ws/rate-limits.ts';
import { LIMITS } from './limits.ts';

const QUARTER_HOUR = 15 * 60;
const TEN_MINUTES = 10 * 60;
const FIVE_MINUTES = 5 * 60;
/** A count, and whose it is. */
type Counted = readonly [RateLimiterMemory, string];
/** The one key of what is counted over everybody. */
const ALL = 'all';

/**
 * Slows down who guesses passwords. Failures of strangers count four ways:
 * - an account from one address: few, since people mistype;
 * - an address over all accounts: one password tried on many;
 * - an account over all addresses: many addresses trying one account;
 * - all of them together.
 * A device that has proved itself is counted for itself alone: nobody without its key can use its tries up.
 * Successes count too, by account or by such a device: each costs a hash and rows, also where somebody only has a password.
 */
export class SignInLimits {
  readonly #pair: RateLimiterMemory;
  readonly #address: RateLimiterMemory;
  readonly #account: RateLimiterMemory;
  readonly #strangers: RateLimiterMemory;
  readonly #device: RateLimiterMemory;
  readonly #successes: RateLimiterMemory;
  #turn = Promise.resolve();

  /** `factor` widens the limits; 1 in production. */
  constructor(factor: number) {
    const limiter = ({ value }: { readonly value: number }, duration: number) =>
      new RateLimiterMemory({ points: Math.ceil(value * factor), duration });
    this.#pair = limiter(LIMITS.failuresByAccountAndAddress, QUARTER_HOUR);
    this.#address = limiter(LIMITS.failuresByAddress, QUARTER_HOUR);
    this.#account = limiter(LIMITS.failuresByAccount, FIVE_MINUTES);
    this.#strangers = limiter(LIMITS.failuresOfStrangers, FIVE_MINUTES);
    this.#device = limiter(LIMITS.failuresByDevice, QUARTER_HOUR);
    this.#successes = limiter(LIMITS.signInsByAccount, TEN_MINUTES);
  }

  /**
   * Counts an attempt as a failure before the password is looked at, so that many attempts at once do not slip through.
   * `provenDevice`: the device of the account whose key has signed this attempt. Rejects with `rate_limited`. Returns
   * what takes the count back after a success, and counts that; it rejects with `rate_limited`, too.
   */
  async attempt(username: string, address: string, provenDevice: DeviceId | undefined): Promise<() => Promise<void>> {
    const group = addressGroup(address);
    const own = `${username} ${provenDevice ?? group}`;
    const counted: Counted[] =
      provenDevice === undefined
        ? [
            [this.#pair, own],
            [this.#account, username],
            [this.#address, group],
            [this.#strangers, ALL],
          ]
        : [[this.#device, own]];
    const success = [this.#successes, provenDevice === undefined ? username : own] as const;
    await this.#alone(async () => {
      await requireRoom([success]);
      await count(counted);
    });
    return async () => {
      const [narrowest, ...wider] = counted;
      if (narrowest) await narrowest[0].delete(narrowest[1]);
      for (const [limiter, key] of wider) await limiter.reward(key);
      // Looked at again, since several may have been under way at once.
      await this.#alone(() => count([success]));
    };
  }

  /** One after the other: between looking at the counts and adding to them nobody else adds to them. */
  #alone(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/**
 * Looks at every count before it adds to any. What one of them refuses uses up none: else whoever guesses from one address
 * would use up the tries of the account and of everybody. Nor does it leave an entry under a name of a stranger's making.
 */
async function count(counted: readonly Counted[]): Promise<void> {
  await requireRoom(counted);
  for (const [limiter, key] of counted) await limiter.consume(key);
}

/** Rejects with `rate_limited`. Counts nothing. */
async function requireRoom(counted: readonly Counted[]): Promise<void> {
  for (const [limiter, key] of counted) {
    const used = await limiter.get(key);
    // The library says null where nothing was counted.
    if (used && used.consumedPoints >= limiter.points) throw rateLimited(used);
  }
}
