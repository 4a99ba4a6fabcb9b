import type { Limit } from '../../protocol/limit.ts';
import { setBounded } from '../bounded-map.ts';
import { Bucket, type BucketOptions } from '../bucket.ts';
import type { Payer } from '../store/turns.ts';
import { Crowd } from './crowd.ts';
import { LIMITS } from './limits.ts';
import { LoopTurns } from './loop-turns.ts';

/** The time of the event loop and the bytes that one account, or one address before sign-in, has used. */
export class Budget implements Payer {
  readonly #work: Bucket;
  readonly #bytes: Bucket;
  readonly #turns: LoopTurns;
  readonly #crowd: Crowd | undefined;
  #turn = -1;
  #workInTurn = 0;
  /**
   * For strangers: they wait in the line of their address, and their statements count for nobody. They are few, by the
   * limits of requests, and people who share the address would wait for each other's sign-ins.
   */
  readonly uncounted: Payer = { work: () => undefined };

  /** `factor` widens it; 1 in production. `now`: milliseconds of `performance.now()`. `crowd`: of those without a session. */
  constructor(factor: number, now: number, turns = new LoopTurns(), crowd?: Crowd) {
    this.#turns = turns;
    this.#crowd = crowd;
    const bucket = (perSecond: Limit, burst: Limit, rest: Pick<BucketOptions, 'inFull'> = {}) => {
      const wide = { perSecond: perSecond.value * factor, burst: burst.value * factor };
      return new Bucket({ ...wide, longestWaitMs: LIMITS.longestWaitMs.value, ...rest }, now);
    };
    // Refusing takes less than that; whatever was really done is paid for, or one account had more than its share.
    const inFull = { from: LIMITS.workInFullMs.value, longestWaitMs: LIMITS.longestWorkWaitMs.value };
    this.#work = bucket(LIMITS.workMsPerSecond, LIMITS.workBurstMs, { inFull });
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
    this.#crowd?.work(ms);
    const turn = this.#turns.current;
    this.#workInTurn = (turn === this.#turn ? this.#workInTurn : 0) + ms;
    this.#turn = turn;
  }

  /** Whether it has used as much of this turn of the event loop as it may. */
  get hadItsTurn(): boolean {
    return this.#turn === this.#turns.current && this.#workInTurn >= LIMITS.workMsPerTurn.value;
  }

  /** Whether all those have who are counted together with it; never for an account. */
  get crowdHadItsTurn(): boolean {
    return this.#crowd?.hadItsTurn ?? false;
  }

  /** Calls `then` in a later turn of the event loop. */
  later(then: () => void): void {
    if (this.#crowd) this.#crowd.later(then);
    else setImmediate(then);
  }
}

/** The budgets of those who are connected, or were lately, by name. */
export class Budgets {
  readonly #factor: number;
  readonly #byName = new Map<string, Budget>();
  readonly #turns = new LoopTurns();
  readonly #strangers = new Crowd(this.#turns);

  constructor(factor: number) {
    this.#factor = factor;
  }

  /** Of those who have a session. */
  of(name: string): Budget {
    return this.#of(name, undefined);
  }

  /** Of an address, for those who have none. */
  ofStrangers(address: string): Budget {
    return this.#of(address, this.#strangers);
  }

  #of(name: string, crowd: Crowd | undefined): Budget {
    const budget = this.#byName.get(name) ?? new Budget(this.#factor, performance.now(), this.#turns, crowd);
    // To the end: whoever was not asked for longest is forgotten first.
    this.#byName.delete(name);
    setBounded(this.#byName, name, budget, LIMITS.budgets.value);
    return budget;
  }
}
