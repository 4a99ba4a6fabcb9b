import type { Payer } from '../../store/turns.ts';

export interface Share {
  readonly payer: Payer;
  readonly rows: number;
}

/** The time of a transaction that many share; each pays by the rows that it is for. */
export class SharedBill implements Payer {
  #ms = 0;

  work(ms: number): void {
    this.#ms += ms;
  }

  /** Counts what was used since the last time. */
  settle(shares: readonly Share[]): void {
    const now = performance.now();
    const rows = shares.reduce((sum, share) => sum + share.rows, 0);
    for (const share of shares) share.payer.work((this.#ms * share.rows) / rows, now);
    this.#ms = 0;
  }
}
