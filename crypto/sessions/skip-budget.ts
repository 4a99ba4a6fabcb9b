import { CryptoError } from '../crypto-error.ts';
import { LIMITS } from './limits.ts';

/** Which session a message is tried on: the one it should belong to, or a replaced one. */
export type SessionAge = 'current' | 'replaced';

/**
 * How many keys of skipped messages one message may make this device derive, over all sessions that it is tried on. The
 * MAC can only be checked with the key at the end of the chain, so whoever sends garbage chooses how long the chain is.
 */
export class SkipBudget {
  readonly #most: number;
  #replaced: number = LIMITS.skippedKeysAllArchived.value;
  #spent = 0;

  /** @param most keys in the session that the message should belong to */
  constructor(most: number = LIMITS.skippedKeys.value) {
    this.#most = Math.min(most, LIMITS.skippedKeys.value);
  }

  /** Keys that were derived. */
  get spent(): number {
    return this.#spent;
  }

  /** For one session. Each call of what it returns takes keys; throws `too_far_ahead` where there are not enough. */
  in(age: SessionAge): (keys: number) => void {
    let left = age === 'current' ? this.#most : LIMITS.skippedKeysArchived.value;
    return (keys) => {
      const allowed = age === 'current' ? left : Math.min(left, this.#replaced);
      if (keys > allowed) throw new CryptoError('too_far_ahead', 'more messages were skipped than may be');
      left -= keys;
      if (age === 'replaced') this.#replaced -= keys;
      this.#spent += keys;
    };
  }
}
