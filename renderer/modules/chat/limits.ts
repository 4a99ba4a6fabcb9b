import type { Limits } from '../../../protocol/limit.ts';

/** What a server, or whoever writes, may make the window keep and do. */
export const LIMITS = {
  waitingEnvelopes: {
    value: 1000,
    unit: 'envelopes that arrived live and were not given to the vault yet',
    reason:
      'A server could fill the memory, of up to 90 kB each. What is left out is in the queue on the server, and is fetched once there is room.',
  },
  notificationsMs: {
    value: 2000,
    unit: 'milliseconds between two notifications of one conversation',
    reason: 'One colleague may send 300 messages a second, each a window of the system; the latest says enough.',
  },
  freshCallEntries: {
    value: 1000,
    unit: 'entries of calls whose end the calls module may still tell, for 2 s',
    reason: 'Kept in memory; more of them are looked at without that pause.',
  },
  senderPutBack: {
    value: 60_000,
    unit: 'milliseconds for which everybody else goes before a device that sent something unreadable or costly',
    reason: 'Trying to read garbage costs time, and so do long receipts; whoever sends them waits, and nobody else.',
  },
} as const satisfies Limits;
