/** Shortest and longest wait between two attempts to connect, in milliseconds. */
export const FIRST_MS = 250;
export const LONGEST_MS = 15_000;

/**
 * How long to wait before attempt number `attempt` (from 0), in milliseconds: doubling from `first` to `longest`, of which
 * a random half is taken off, so that a thousand clients of a restarted server do not come back in the same instant.
 */
export function backoffMs(attempt: number, random: () => number, first = FIRST_MS, longest = LONGEST_MS): number {
  const ceiling = Math.min(longest, first * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random() * 0.5));
}
