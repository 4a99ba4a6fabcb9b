import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ProtocolError } from '../../protocol/errors.ts';
import { addressGroup } from '../address-group.ts';
import { allowanceOf } from './allowance.ts';
import type { Connection } from './connection.ts';
import type { CallerSession, RateLimit } from './method.ts';

/** Counts requests by method and by who asks. */
export class RateLimits {
  readonly #limiters = new Map<string, RateLimiterMemory>();
  readonly #factor: number;

  /** `factor` widens every limit; 1 in production. */
  constructor(factor: number) {
    this.#factor = factor;
  }

  /** Counts for `session` where the limit is by account. Rejects with `rate_limited` when there are too many. */
  async take(
    method: string,
    limit: RateLimit,
    connection: Connection,
    session: CallerSession | null = connection.caller?.session ?? null,
  ): Promise<void> {
    let limiter = this.#limiters.get(method);
    if (!limiter) {
      limiter = new RateLimiterMemory({ points: Math.ceil(limit.requests * this.#factor), duration: limit.seconds });
      this.#limiters.set(method, limiter);
    }
    const asker = () => (session ? allowanceOf(session) : connection.id);
    const key = limit.by === 'address' ? addressGroup(connection.address) : asker();
    try {
      await limiter.consume(key);
    } catch (reason) {
      throw rateLimited(reason);
    }
  }
}

/** What a limiter rejected with, as a refusal for the wire. Anything else is passed on. */
export function rateLimited(reason: unknown): unknown {
  if (!(reason instanceof RateLimiterRes)) return reason;
  return tooManyRequests(reason.msBeforeNext);
}

/** `afterMs`: when there is room again. */
export function tooManyRequests(afterMs: number): ProtocolError<'rate_limited'> {
  return new ProtocolError('rate_limited', 'Too many requests; try again later.', {
    retryAfterMs: Math.max(1, Math.ceil(afterMs)),
  });
}
