import type { Limits } from '../../../protocol/limit.ts';

/** Bounds on what a server can make this module do. */
export const LIMITS = {
  openLinkRequests: {
    value: 16,
    unit: 'requests to be linked, shown at once',
    reason: 'A server could fill the screen with requests; more at once are no person’s devices.',
  },
  linkRequestTime: {
    value: 10 * 60_000,
    unit: 'milliseconds that a request is shown, whatever the server says',
    reason: 'A forgotten request could be approved much later.',
  },
  prekeyCheckPause: {
    value: 60_000,
    unit: 'milliseconds between two looks at the prekeys',
    reason: 'A server that says all the time that prekeys run low would keep the vault busy.',
  },
  firstListRetry: {
    value: 30_000,
    unit: 'milliseconds',
    reason:
      'A server that does not show the list it was given is given it again after so long, then after twice as long.',
  },
  lastListRetry: {
    value: 60 * 60_000,
    unit: 'milliseconds',
    reason: 'The longest of these pauses: a hostile server costs three requests an hour.',
  },
} as const satisfies Limits;
