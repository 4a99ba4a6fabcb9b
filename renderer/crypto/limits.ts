import type { Limits } from '../../protocol/limit.ts';

/** What a server, or whoever can send to this account, may make the vault keep and do. */
export const LIMITS = {
  clockDifferenceMs: {
    value: 24 * 60 * 60 * 1000,
    unit: 'milliseconds',
    reason: 'A position or a time of sending further ahead of the clock would keep its message at the end for ever.',
  },
  earliestTime: {
    value: Date.UTC(2000, 0, 1),
    unit: 'milliseconds since the Unix epoch',
    reason: 'A message that says it was sent earlier has a wrong clock; the time of its position says more.',
  },
  callMs: {
    value: 30 * 24 * 60 * 60 * 1000,
    unit: 'milliseconds',
    reason: 'The longest duration of a call that is shown; a longer one comes from a wrong clock.',
  },
  skippedKeysSaved: {
    value: 4000,
    unit: 'keys for each sending device',
    reason: 'Two messages that each follow 2,000 lost ones are read at once; more of them only slowly.',
  },
  skippedKeysPerSecond: {
    value: 20,
    unit: 'keys a second for each sending device',
    reason: 'What garbage of one device costs for ever: 0.05 ms of each second.',
  },
  skippedKeysAlways: {
    value: 50,
    unit: 'keys for each message',
    reason: 'A message that is merely out of order is read whatever its sender has sent before.',
  },
  countedSenders: {
    value: 1000,
    unit: 'sending devices',
    reason: 'Counts are kept in memory.',
  },
  unannouncedCalls: {
    value: 200,
    unit: 'entries of calls of which nothing came by the encrypted way',
    reason:
      'They are there on the server’s word, which costs it nothing. The oldest go: 200 are more than one looks through.',
  },
  unannouncedInAnHour: {
    value: 12,
    unit: 'missed calls of one person in an hour of which nothing came by the encrypted way',
    reason: 'Who tries every five minutes is shown each time; a server that makes rings up is not.',
  },
  callsInATurn: {
    value: 100,
    unit: 'entries of calls',
    reason: 'Each is opened to see whether its call goes on; after so many the vault lets other operations go first.',
  },
  readInATurn: {
    value: 200,
    unit: 'unread messages',
    reason: 'A colleague can leave thousands unread; after so many the vault lets other operations go first.',
  },
  receiptsInATurn: {
    value: 1000,
    unit: 'receipts that are due',
    reason: 'They go out 200 to a message; after so many the vault lets other operations go first.',
  },
  refusalsInATurn: {
    value: 4,
    unit: 'unreadable envelopes',
    reason: 'After so many the vault lets other operations go first: one is tried on up to eleven sessions.',
  },
  skippedKeysInATurn: {
    value: 2000,
    unit: 'keys',
    reason: 'After so many the vault lets other operations go first.',
  },
  rowsInATurn: {
    value: 200,
    unit: 'stored messages that envelopes name',
    reason: 'One receipt names as many; after so many the vault lets other operations, and other people, go first.',
  },
  settledMessages: {
    value: 20_000,
    unit: 'messages that no receipt changes any more',
    reason: 'Kept in memory, so that receipts that name the same ones again cost no look at the disk.',
  },
  removedDevices: {
    value: 256,
    unit: 'devices taken off the own list, remembered by their ids',
    reason: 'Kept for ever, they would only grow; those removed long before are on no list that is still accepted.',
  },
  namesOfStrangers: {
    value: 10_000,
    unit: 'pins of people without a conversation',
    reason:
      'A server can invent people without end. What is pinned before that stays; more of them are shown unpinned.',
  },
  strangersInAnHour: {
    value: 200,
    unit: 'people of whom nothing is known whose device lists are asked for, since something came of them',
    reason:
      'A server can invent senders; each that has keys is kept for ever. More than one meets in an hour: what others sent waits on the server.',
  },
  unreadableOfNobody: {
    value: 100,
    unit: 'entries of a person of whom nothing is known, all of which could not be read',
    reason: 'Earlier versions kept them. With more than that it is not one of many that a server has invented.',
  },
  sameOrder: {
    value: 2_000,
    unit: 'messages of one conversation that share a position and are shown together',
    reason:
      'A server gives each its own; one that does not must not put messages out of reach, nor fill a page without end.',
  },
} as const satisfies Limits;
