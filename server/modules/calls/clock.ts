/** Time as the calls module needs it, so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since some moment; never goes back, whatever the machine's clock is set to. For deadlines. */
  now(): number;
  /** Milliseconds since the Unix epoch, as the machine's clock shows them. For what people read. */
  epoch(): number;
  /** Calls `run` once after `delayMs` milliseconds unless the returned function was called before. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's own time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
