import type { Limits } from '../../../protocol/limit.ts';

const MIB = 1024 * 1024;

/** What messages that wait may cost. Counts are exact in each transaction; with several processes on PostgreSQL each may exceed one by its current batch. */
export const LIMITS = {
  senderBytesPerHour: {
    value: 64 * MIB,
    unit: 'bytes for each account and hour',
    reason: 'One account could fill the disk. A text costs about two kilobytes for two people with two devices each.',
  },
  senderOverheadBytes: {
    value: 512,
    unit: 'bytes for each message',
    reason:
      'Its rows, and the answer that is kept for repeats: without it a flood of empty messages would cost nothing.',
  },
  copyOverheadBytes: {
    value: 128,
    unit: 'bytes for each device that a message is for',
    reason: 'The row of its copy: a message for many devices with keys of one byte would cost a fraction of its rows.',
  },
  senderBurstBytes: {
    value: 64 * MIB,
    unit: 'bytes for each account',
    reason: 'An outbox that comes back from days offline goes out without waiting.',
  },
  senderCopiedBytesPerHour: {
    value: 512 * MIB,
    unit: 'bytes of payloads and keys for each account and hour, counted for every device that gets them',
    reason:
      'A message is stored once and goes out to up to a thousand devices. A text for 64 people with two devices each is 0.1 MB, the largest picture 8 MB.',
  },
  senderCopiedBurstBytes: {
    value: 512 * MIB,
    unit: 'the same at once',
    reason: 'All that an account may send at once, to eight devices; sixty of the largest pictures to 64 people.',
  },
  senderWaitingBytes: {
    value: 128 * MIB,
    unit: 'bytes of payloads and keys for each account',
    reason:
      'What one account has sent and nobody has fetched: a quarter of a queue, so that one account shuts nobody’s inbox.',
  },
  senderShare: {
    value: 0.1,
    unit: 'of the organisation’s total for each account',
    reason: 'Where the total is set small, the bytes above would be all of it, and one account would stop everybody.',
  },
  senderWaitingMessages: {
    value: 100_000,
    unit: 'messages for each account',
    reason: 'The same for small messages. A busy account leaves some 600 a day to devices that are away.',
  },
  queueBytes: {
    value: 512 * MIB,
    unit: 'bytes for each device',
    reason: 'A device that never comes back would collect without end.',
  },
  queueMessages: {
    value: 250_000,
    unit: 'messages for each device',
    reason: 'The same for small messages; 90 days of a busy account are about 100,000.',
  },
  batchMessages: {
    value: 512,
    unit: 'messages in one transaction',
    reason: 'Many share the cost of making them durable, and none waits long for the others.',
  },
  batchCharacters: {
    value: 4 * MIB,
    unit: 'characters of payloads in one transaction',
    reason: 'The same for long messages: five hundred of them would be 32 MB to write at once.',
  },
  batchCopies: {
    value: 2048,
    unit: 'recipients and their devices in one transaction',
    reason: 'The same for messages to many: each recipient is looked up, and each device gets a row.',
  },
  announcedBytes: {
    value: 4 * MIB,
    unit: 'bytes handed to connections in one turn of the event loop',
    reason: 'The system takes its time to copy them; what others have sent is read in between.',
  },
  announcedMs: {
    value: 10,
    unit: 'milliseconds of a turn of the event loop in which messages are handed to connections',
    reason: 'The same for many small ones.',
  },
  batchPositions: {
    value: 4000,
    unit: 'acknowledged envelopes in one transaction',
    reason: 'One request names up to 500; whoever sends hundreds of them keeps others waiting for some at a time only.',
  },
  deletedBytes: {
    value: 4 * MIB,
    unit: 'bytes of messages deleted in one statement',
    reason: 'On SQLite a statement holds everybody up, and a long message lies on many pages.',
  },
  deletedMessages: {
    value: 500,
    unit: 'messages deleted in one statement',
    reason: 'The same for short ones.',
  },
  senderCounts: {
    value: 100_000,
    unit: 'accounts',
    reason: 'Accounts whose sends of the last hour are counted in memory.',
  },
} as const satisfies Limits;
