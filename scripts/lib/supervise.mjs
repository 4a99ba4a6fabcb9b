import { setTimeout as delay } from 'node:timers/promises';

/** First wait before a program is started again, and the longest. Milliseconds. */
const SHORTEST_WAIT = 250;
const LONGEST_WAIT = 30_000;
/** A program that lived this long had a fault, and no trouble with starting. Milliseconds. */
const STABLE = 60_000;
/** Ends in a row, none of them after a stable time, after which somebody should look. */
export const MANY_FAULTS = 8;
/** How a server ends that found another in its place, as `ALREADY_RUNS_EXIT_CODE` of server/claim-folder.ts. */
const ALREADY_RUNS = 78;

/**
 * @typedef {object} Run
 * @property {Promise<{ code: number | null }>} ended null where a signal ended it
 * @property {() => boolean} hasStarted whether it ever got as far as to serve
 */

/**
 * Runs a program, and runs it again when it ends with a fault, each time a little later, for as long as it takes: what it
 * needs may come back after hours. Not again: when it was asked to end, when it ended well, when it has never got as far
 * as to serve, since then something is set wrongly, or when another runs already.
 *
 * @param {() => Run} start
 * @param {{ isEnding: () => boolean, say: (line: string) => void, now?: () => number, wait?: (ms: number) => Promise<unknown> }} options
 * @returns {Promise<number>} the exit code
 */
export async function supervise(start, { isEnding, say, now = Date.now, wait = delay }) {
  let faults = 0;
  let hasServed = false;
  for (;;) {
    const startedAt = now();
    const run = start();
    const { code } = await run.ended;
    hasServed ||= run.hasStarted();
    if (isEnding() || code === 0 || code === ALREADY_RUNS || !hasServed) return code ?? 1;
    faults = now() - startedAt >= STABLE ? 1 : faults + 1;
    if (faults === MANY_FAULTS)
      say(
        `The server ended ${faults} times in a row. Its log says why. It is tried again every ${LONGEST_WAIT / 1000} s.`,
      );
    const ms = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** Math.min(faults - 1, MANY_FAULTS));
    say(`The server ended with a fault (${code ?? 'killed'}). It starts again in ${ms / 1000} s.`);
    await wait(ms);
    if (isEnding()) return 0;
  }
}

/**
 * Whoever is asked to end must not wait for the next start.
 *
 * @param {number} ms
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<void>}
 */
export function delayUnless(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
