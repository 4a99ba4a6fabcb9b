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
  listsAgainMs: {
    value: 15_000,
    unit: 'milliseconds before a device list that could not be had is asked for again',
    reason: 'What needs it waits on the server that long, and what others sent goes on.',
  },
  strangersAgainMs: {
    value: 600_000,
    unit: 'milliseconds before the queue is read again for what too many unknown people have sent',
    reason: 'A server can invent senders without end; a genuine one of them is late, and not lost.',
  },
  heldSenders: {
    value: 1000,
    unit: 'people whose device lists could not be had',
    reason: 'Kept in memory; more of them are asked for again sooner.',
  },
  senderPutBack: {
    value: 60_000,
    unit: 'milliseconds for which everybody else goes before a device that sent something unreadable or costly',
    reason: 'Trying to read garbage costs time, and so do long receipts; whoever sends them waits, and nobody else.',
  },
} as const satisfies Limits;
