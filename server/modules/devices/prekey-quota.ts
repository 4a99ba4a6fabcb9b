import type { DeviceAddress, UserId } from '../../../protocol/ids.ts';
import { setBounded } from '../../bounded-map.ts';
import { LIMITS } from './limits.ts';

interface Count {
  readonly since: number;
  readonly taken: number;
}

/**
 * Counts the one-time prekeys that are given out of each device, by who asks and altogether. In memory: a restart begins
 * anew, which gives nobody more than another day's share.
 */
export class PrekeyQuota {
  readonly #counts = new Map<string, Count>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether one more may be given out; counts it if so. Own devices may take from each other like anybody else. */
  take(requester: UserId, { userId, deviceId }: DeviceAddress): boolean {
    const target = `${userId}/${deviceId}`;
    const pair = `${requester}>${target}`;
    const ofPair = this.#taken(pair);
    const ofTarget = this.#taken(target);
    if (ofPair.taken >= LIMITS.prekeysByRequester.value || ofTarget.taken >= LIMITS.prekeysByTarget.value) return false;
    this.#keep(pair, ofPair);
    this.#keep(target, ofTarget);
    return true;
  }

  #taken(key: string): Count {
    const known = this.#counts.get(key);
    const now = this.#now();
    return known && now - known.since < LIMITS.prekeyQuotaPeriod.value ? known : { since: now, taken: 0 };
  }

  #keep(key: string, { since, taken }: Count): void {
    // Set anew, so that what is in use is not the oldest.
    this.#counts.delete(key);
    setBounded(this.#counts, key, { since, taken: taken + 1 }, LIMITS.prekeyQuotaEntries.value);
  }
}
