import type { Limits } from '../../crypto/limit.ts';

/** What a server, or whoever can send to this account, may make the vault keep and do. */
export const LIMITS = {
  clockDifferenceMs: {
    value: 24 * 60 * 60 * 1000,
    unit: 'milliseconds',
    reason: 'A position or a time of sending further ahead of the clock would keep its message at the end for ever.',
  },
  earliestTime: {
    value: Date.UTC(2000, 0, 1),
    unit: 'milliseconds since the Unix epoch',
    reason: 'A message that says it was sent earlier has a wrong clock; the time of its position says more.',
  },
  callMs: {
    value: 30 * 24 * 60 * 60 * 1000,
    unit: 'milliseconds',
    reason: 'The longest duration of a call that is shown; a longer one comes from a wrong clock.',
  },
} as const satisfies Limits;
