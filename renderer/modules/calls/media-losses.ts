/** Media that has worked for this long makes up for all losses before it. Milliseconds. */
export const STABLE_MS = 5_000;
/** Wait before the second attempt in a row; it doubles with each further one. Milliseconds. */
const FIRST_WAIT_MS = 250;
/** A call keeps its place on the server for REJOIN_MS after an attempt, so this stays well below. Milliseconds. */
const LAST_WAIT_MS = 5_000;
/** After as many losses in a row the person is told that it may take longer. */
const LOSSES_UNTIL_TOLD = 5;

/**
 * Counts the losses of a call's media that follow each other without a stable time between them, and says how long to
 * wait before the next attempt. There is no last attempt: the call goes on until somebody leaves it.
 */
export class MediaLosses {
  #inARow = 0;

  /** Whether so many attempts came to nothing that the person should know. */
  get lasting(): boolean {
    return this.#inARow >= LOSSES_UNTIL_TOLD;
  }

  /**
   * Counts one. Returns the milliseconds to wait before media is set up anew.
   * @param workedMs how long media has worked before this loss; 0 if it has not
   */
  add(workedMs: number): number {
    if (workedMs >= STABLE_MS) this.#inARow = 0;
    this.#inARow += 1;
    // The first is a matter of chance, so nothing is gained by waiting.
    return this.#inARow === 1 ? 0 : Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#inARow - 2));
  }

  /** The person wants another try now. */
  forget(): void {
    this.#inARow = 0;
  }
}
