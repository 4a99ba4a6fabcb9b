/** How many times within this span a page that died is loaded anew before the person is asked. Milliseconds. */
const SPAN_MS = 60_000;
const MOST = 3;

export interface RecoveryOptions {
  /** Milliseconds from any fixed moment. */
  readonly now: () => number;
  readonly reload: () => void;
  readonly giveUp: () => void;
}

/**
 * Returns what to call when the interface's process died. Everything it showed is on disk, so loading it anew loses
 * nothing; one that dies again and again is not loaded for ever.
 */
export function createRecovery({ now, reload, giveUp }: RecoveryOptions): () => void {
  let deaths: number[] = [];
  return () => {
    const time = now();
    deaths = [...deaths.filter((earlier) => time - earlier < SPAN_MS), time];
    if (deaths.length > MOST) giveUp();
    else reload();
  };
}
