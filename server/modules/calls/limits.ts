import type { Limits } from '../../../protocol/limit.ts';

/** What one account can cost others and the server by calls. Rates of requests stand with each method. */
export const LIMITS = {
  callsPerAccount: {
    value: 3,
    unit: 'calls one account is in at once',
    reason:
      'A person is in one at a time, the rest is for calls whose end is not noticed yet; each has a room and transports.',
  },
  ringingPerPair: {
    value: 2,
    unit: 'calls in which one account rings the same other at once',
    reason: 'One is enough; the second is for a caller whose line broke while the first rang.',
  },
  ringsPerPairAndHour: {
    value: 12,
    unit: 'unanswered rings of one account to the same other in an hour',
    reason: 'A telephone that rings on and on cannot be used; an answered call starts the count anew.',
  },
  ringingPerInvitee: {
    value: 6,
    unit: 'calls that ring for one account at once',
    reason: 'A device rings for one call at a time; whoever comes after these hears that the person is busy.',
  },
  floodPause: {
    value: 300_000,
    unit: 'milliseconds without calls for an account that flooded the media server',
    reason: 'It could join again at once and go on; other accounts are not affected.',
  },
  callsInTotal: {
    value: 2_000,
    unit: 'calls going on',
    reason: 'Each has a room on a media worker, made while it rings.',
  },
  rememberedRings: {
    value: 100_000,
    unit: 'pairs of accounts whose rings are remembered',
    reason: 'The memory of rings must not grow without end; the oldest is forgotten first.',
  },
  endedMemory: {
    value: 5 * 60_000,
    unit: 'milliseconds for which an ended call is remembered',
    reason: 'Late requests learn that it ended; memory that whoever starts calls without end would fill.',
  },
} as const satisfies Limits;
