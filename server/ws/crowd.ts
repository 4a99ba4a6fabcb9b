import { LIMITS } from './limits.ts';
import type { LoopTurns } from './loop-turns.ts';

/** All who have no session: what they may take together of one turn of the event loop, and their line for the next. */
export class Crowd {
  readonly #turns: LoopTurns;
  #turn = -1;
  #workInTurn = 0;
  #waiting: (() => void)[] = [];
  #isDue = false;

  constructor(turns: LoopTurns) {
    this.#turns = turns;
  }

  /** Counts time for which everybody else waited. Milliseconds. */
  work(ms: number): void {
    const turn = this.#turns.current;
    this.#workInTurn = (turn === this.#turn ? this.#workInTurn : 0) + ms;
    this.#turn = turn;
  }

  /** Whether they have used as much of this turn of the event loop as they may. */
  get hadItsTurn(): boolean {
    return this.#turn === this.#turns.current && this.#workInTurn >= LIMITS.strangersMsPerTurn.value;
  }

  /** Calls `then` in a later turn, after those who have waited longer. */
  later(then: () => void): void {
    this.#waiting.push(then);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#go());
  }

  #go(): void {
    this.#isDue = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    let gone = 0;
    for (; gone < waiting.length && !this.hadItsTurn; gone++) waiting[gone]?.();
    if (gone === waiting.length) return;
    // Whoever had a turn and needs another one has asked meanwhile, and comes after the others.
    const again = this.#waiting;
    this.#waiting = waiting.slice(gone);
    for (const then of again) this.#waiting.push(then);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#go());
  }
}
