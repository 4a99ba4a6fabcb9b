/** Sends of all conversations together that may wait for their answers. The server reads no further at 256 requests. */
const MAX_SENDS = 128;
/** Bytes of them: enough for a burst of short messages at any distance, and not many seconds of a slow line. */
const MOST_BYTES = 256 * 1024;
/** After losses a slow line gets no more than this at once. */
const LEAST_BYTES = 8 * 1024;

/**
 * How much may be under way at once. A line that was lost before it answered anything gets half as much the next time, so
 * that each attempt can bring something to its end; what is answered widens the window again.
 */
export class SendWindow {
  #limit = MOST_BYTES;
  #bytes = 0;
  #sends = 0;

  /** Takes room for a send of `bytes`. The first one always fits. */
  take(bytes: number): boolean {
    if (this.#sends > 0 && (this.#sends >= MAX_SENDS || this.#bytes + bytes > this.#limit)) return false;
    this.#bytes += bytes;
    this.#sends += 1;
    return true;
  }

  /** A send of `bytes` was answered, or never will be. */
  release(bytes: number): void {
    this.#bytes -= bytes;
    this.#sends -= 1;
  }

  answered(bytes: number): void {
    this.#limit = Math.min(MOST_BYTES, this.#limit + bytes);
  }

  /** The line was lost, and nothing that was under way had been answered. */
  lost(): void {
    this.#limit = Math.max(LEAST_BYTES, this.#limit / 2);
  }
}
