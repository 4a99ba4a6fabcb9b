import type { Limits } from '../../../protocol/limit.ts';

/** What a server, or whoever rings, may make this device keep and do. */
export const LIMITS = {
  ringingMeanwhile: {
    value: 6,
    unit: 'calls that ring while another rings or goes on',
    reason: 'As many as the server lets ring for one account; whatever else it tells of is passed over.',
  },
  ringsAnHour: {
    value: 60,
    unit: 'unanswered rings in an hour that this device enters in the chat, and answers if it is busy',
    reason:
      'A server can make them up without end, each a row for ever. The entry that the caller sends, encrypted, comes all the same.',
  },
  knownCalls: {
    value: 24,
    unit: 'calls that this account could come back to or that ring',
    reason: 'Twice what a server lists; the one that this device is in and the one that rings are never forgotten.',
  },
  remembered: {
    value: 200,
    unit: 'ids of calls that are over, were answered or crossed another',
    reason: 'An update that comes late is late by seconds.',
  },
} as const satisfies Limits;
