import type { Limits } from '../../../protocol/limit.ts';

/** What a server may make this device know of people. */
export const LIMITS = {
  strangers: {
    value: 2000,
    unit: 'people without a conversation',
    reason:
      'Kept so that names are there offline. Each costs time at every start and a place in a question at every connection; those not heard of longest are forgotten first.',
  },
  questionsInAConnection: {
    value: 60,
    unit: 'questions after events were missed, for 50 people each',
    reason: 'The server takes 300 a minute. Whoever is left goes first with the next connection.',
  },
  newcomersMs: {
    value: 10_000,
    unit: 'milliseconds between two looks at the directory',
    reason: 'A server may tell of newcomers as often as it likes: the first is seen at once, more of them together.',
  },
} as const satisfies Limits;
