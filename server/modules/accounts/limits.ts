import type { Limits } from '../../../protocol/limit.ts';

export const LIMITS = {
  failuresByAccountAndAddress: {
    value: 10,
    unit: 'failed sign-ins in 15 minutes',
    reason: 'A person mistypes a few times; more from one address at one account is guessing.',
  },
  failuresByAddress: {
    value: 100,
    unit: 'failed sign-ins in 15 minutes',
    reason: 'One address that tries one password on many accounts is slowed; an office behind one address is not.',
  },
  failuresByAccount: {
    value: 100,
    unit: 'failed sign-ins in 5 minutes',
    reason: 'Many addresses that guess at one account are slowed; a device that proves itself is not counted here.',
  },
  failuresOfStrangers: {
    value: 3000,
    unit: 'failed sign-ins in 5 minutes',
    reason: 'Many addresses that guess at many accounts get at most a fifth of what the server can hash.',
  },
  failuresByDevice: {
    value: 20,
    unit: 'failed sign-ins in 15 minutes',
    reason: 'Whoever holds a device guesses slowly; nobody without its key can use these tries up.',
  },
  signInsByAccount: {
    value: 100,
    unit: 'sign-ins that succeed in 10 minutes, by password alone, and as much for each device that proves itself',
    reason:
      'Sixteen devices that each try several times need fewer; whoever signs in on and on costs hashes and rows no longer.',
  },
  keptSignInMinutes: {
    value: 10,
    unit: 'minutes',
    reason: 'A sign-in whose answer was lost is repeated within moments; a week of them would be rows without end.',
  },
  hashesAtOnce: {
    value: 2,
    unit: 'password hashes',
    reason: 'Each takes 19 MiB and one of four threads, which files and names need too.',
  },
  waitingStrangers: {
    value: 100,
    unit: 'password hashes that wait',
    reason: 'At some 40 ms each, more would wait longer than a person does.',
  },
  waitingProven: {
    value: 100,
    unit: 'password hashes that wait',
    reason: 'Devices that proved themselves and people inside go first, so strangers cannot hold them up.',
  },
  unlinkedSessions: {
    value: 20,
    unit: 'sessions of an account without a device',
    reason: 'The owner sees all sessions in one list; a new one ends the oldest.',
  },
  resetHours: {
    value: 24,
    unit: 'hours',
    reason: 'A link to a new password that is found later is worth nothing.',
  },
  resetRepeatMinutes: {
    value: 10,
    unit: 'minutes',
    reason: 'Who lost the answer asks again at once; later a used link must not say whether a password is right.',
  },
} as const satisfies Limits;
