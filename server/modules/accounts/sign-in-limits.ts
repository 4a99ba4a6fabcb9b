import { RateLimiterMemory } from 'rate-limiter-flexible';
import { addressGroup, rateLimited } from '../../ws/rate-limits.ts';

/**
 * Slows down who guesses passwords. Failures count three ways:
 * - an account from one address: few, since people mistype;
 * - an address over all accounts: one password tried on many;
 * - an account over all addresses: many addresses trying one account. This one alone could be used to keep the owner
 *   out, so it is wide, short, and does not hold for a device that has proved itself.
 */
export class SignInLimits {
  readonly #pair: RateLimiterMemory;
  readonly #address: RateLimiterMemory;
  readonly #account: RateLimiterMemory;

  /** `factor` widens the limits; 1 in production. */
  constructor(factor: number) {
    const limiter = (points: number, duration: number) =>
      new RateLimiterMemory({ points: Math.ceil(points * factor), duration });
    this.#pair = limiter(10, 15 * 60);
    this.#address = limiter(100, 15 * 60);
    this.#account = limiter(100, 5 * 60);
  }

  /**
   * Counts an attempt as a failure before the password is looked at, so that many attempts at once do not slip through.
   * Rejects with `rate_limited`. Returns what takes the count back after a success.
   */
  async attempt(username: string, address: string, provenDevice: boolean): Promise<() => Promise<void>> {
    const group = addressGroup(address);
    const counted: [RateLimiterMemory, string][] = [
      [this.#pair, `${username} ${group}`],
      [this.#address, group],
      ...(provenDevice ? [] : [[this.#account, username] as [RateLimiterMemory, string]]),
    ];
    try {
      for (const [limiter, key] of counted) await limiter.consume(key);
    } catch (reason) {
      throw rateLimited(reason);
    }
    return async () => {
      const [[pair, pairKey], ...others] = counted as [[RateLimiterMemory, string], ...[RateLimiterMemory, string][]];
      await pair.delete(pairKey);
      for (const [limiter, key] of others) await limiter.reward(key);
    };
  }
}
