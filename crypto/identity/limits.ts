import type { Limits } from '../../protocol/limit.ts';

/** Bounds on what a server can make a client do. */
export const LIMITS = {
  prekeysMadePerDay: {
    value: 500,
    unit: 'prekeys made by a device in 24 hours',
    reason: 'A server that says again and again that prekeys run low would have the device make keys without end.',
  },
  prekeysKept: {
    value: 1000,
    unit: 'one-time prekeys stored on a device',
    reason: 'Keys that nobody uses would pile up; the server keeps 500 at most, the rest is for messages under way.',
  },
  prekeyAge: {
    value: 90 * 24 * 60 * 60 * 1000,
    unit: 'milliseconds that a prekey is kept once newer ones wait on the server',
    reason:
      'A private key that is kept without need can still be stolen; a first message is under way for 90 days at most.',
  },
} as const satisfies Limits;
