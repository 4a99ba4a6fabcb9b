import type { Limits } from '../../../protocol/limit.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export const LIMITS = {
  prekeysByRequester: {
    value: 40,
    unit: 'one-time prekeys of a device given to one account a day',
    reason:
      'A colleague could drain the one-time prekeys of another; 16 devices that start a session each, and renew some, need fewer.',
  },
  prekeysByTarget: {
    value: 400,
    unit: 'one-time prekeys of a device given to all accounts a day',
    reason:
      'Colleagues together could keep a device making keys; beyond it first messages use the signed prekey alone.',
  },
  prekeyQuotaPeriod: {
    value: DAY_MS,
    unit: 'milliseconds',
    reason: 'The period in which one-time prekeys are counted.',
  },
  prekeyQuotaEntries: {
    value: 100_000,
    unit: 'counts kept in memory',
    reason: 'Counts by pairs of accounts and devices would grow with their product; the oldest is forgotten first.',
  },
  waitingPrekeys: {
    value: 500,
    unit: 'one-time prekeys waiting for each device',
    reason: 'A client could fill the database with keys; 100 are published at a time.',
  },
  linkRequestTime: {
    value: 10 * 60_000,
    unit: 'milliseconds',
    reason: 'How long a new device waits to be put on the list; a forgotten request cannot be approved later.',
  },
  accountsInMemory: {
    value: 50_000,
    unit: 'accounts whose devices are kept in memory',
    reason: 'Five times the largest organisation; each has some hundred bytes.',
  },
} as const satisfies Limits;
