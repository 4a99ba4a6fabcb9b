import type { Limits } from '../../../protocol/limit.ts';

/** What a server may make the window keep. */
export const LIMITS = {
  waitingEnvelopes: {
    value: 1000,
    unit: 'envelopes that arrived live and were not given to the vault yet',
    reason:
      'A server could fill the memory, of up to 90 kB each. What is left out is in the queue on the server, and is fetched once there is room.',
  },
} as const satisfies Limits;
