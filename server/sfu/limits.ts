import type { Limits } from '../limit.ts';

export const LIMITS = {
  workerWait: {
    value: 2_000,
    unit: 'milliseconds',
    reason: 'Joins of one call wait in a row for a media worker, and somebody who wants to leave waits behind them.',
  },
  workerStable: {
    value: 5_000,
    unit: 'milliseconds a worker has run',
    reason: 'A worker that dies sooner dies of something that is still there, so the next one is not started at once.',
  },
  workerRetryFirst: {
    value: 250,
    unit: 'milliseconds',
    reason: 'A worker that dies as soon as it is started would otherwise keep a core busy with new processes.',
  },
  workerRetryLast: {
    value: 5_000,
    unit: 'milliseconds',
    reason: 'Calls wait for the media server to come back, and one attempt in five seconds costs next to nothing.',
  },
} as const satisfies Limits;
