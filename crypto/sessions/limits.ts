import type { Limits } from '../../protocol/limit.ts';

/** What one message may make this device compute before it is known to be genuine. */
export const LIMITS = {
  skippedKeys: {
    value: 2000,
    unit: 'keys for each message, in the session it may belong to',
    reason: 'Keys of skipped messages are derived before the MAC can be checked; 2,000 take about 6 ms.',
  },
  skippedKeysArchived: {
    value: 50,
    unit: 'keys for each message, in each replaced session',
    reason: 'A replaced session gets only what was under way, and a message may be tried on ten of them.',
  },
  skippedKeysAllArchived: {
    value: 100,
    unit: 'keys for each message, in all replaced sessions',
    reason: 'So that the number of replaced sessions does not multiply the work.',
  },
} as const satisfies Limits;
