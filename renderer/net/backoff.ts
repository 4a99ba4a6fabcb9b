/** Shortest and longest wait between two attempts to connect, in milliseconds. */
const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * How long to wait before attempt number `attempt` (from 0), in milliseconds: doubling from 0.25 s to 15 s, of which a
 * random half is taken off, so that a thousand clients of a restarted server do not come back in the same instant.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random() * 0.5));
}
