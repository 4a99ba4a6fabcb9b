import type { Limits } from '../../protocol/limit.ts';

/** How far the server may fill its disk, and what answers that are kept for repeats may take. */
export const LIMITS = {
  minFreeBytes: {
    value: 512_000_000,
    unit: 'bytes that sends leave free (TEAHOUSE_MIN_FREE_MB)',
    reason: 'Merging the log, fetching and acknowledging need some of it, and so does whatever else is on the disk.',
  },
  minFreeShare: {
    value: 0.05,
    unit: 'of the disk, if that is less',
    reason: 'Half a gigabyte may be all that a small disk has. What TEAHOUSE_MIN_FREE_MB asks for stands on any.',
  },
  diskCheckEveryMs: {
    value: 5000,
    unit: 'milliseconds',
    reason:
      'Between two looks at the free space. At 20 MB/s of sends 100 MB arrive in that time, less than is kept free.',
  },
  growthPerRequestBytes: {
    value: 512 * 1024,
    unit: 'bytes',
    reason:
      'A request is one frame at most, and stands in the log and in the database: after so many as fit the free space is looked at again.',
  },
  reuseMarginBytes: {
    value: 4 * 1024 * 1024,
    unit: 'bytes',
    reason: 'Room that stays inside the database’s files when the disk is full, so that acknowledgements go on.',
  },
  walBytes: {
    value: 64_000_000,
    unit: 'bytes',
    reason:
      'Size to which SQLite’s log of changes is cut back. It reuses what it has, so that acknowledgements need no new space.',
  },
  mergeLookMs: {
    value: 5_000,
    unit: 'milliseconds',
    reason:
      'Between two looks at SQLite’s log: it is merged once nothing was written to it in between, so that what a small organisation has stands in the database and not in its log alone.',
  },
  mergeEveryMs: {
    value: 60_000,
    unit: 'milliseconds',
    reason: 'SQLite’s log is merged at least as often. Most pages change again and again, so more often costs more.',
  },
  clockAheadMs: {
    value: 2 * 24 * 3_600_000,
    unit: 'milliseconds that the clock may be ahead of the newest time in the database',
    reason:
      'Beyond that nothing is deleted for its age: the clock may be wrong, and what is deleted does not come back.',
  },
  clockSteadyMs: {
    value: 20 * 3_600_000,
    unit: 'milliseconds that servers run until a clock that went ahead is believed',
    reason: 'Time to see it and to set it right; less than a day, since some servers are started anew each night.',
  },
  sliceMs: {
    value: 10,
    unit: 'milliseconds of a turn of the event loop in which statements on SQLite begin',
    reason:
      'They run on the event loop: after this much frames are read and answers sent before the next one, however many wait.',
  },
  statementMs: {
    value: 50,
    unit: 'milliseconds that a statement on SQLite counts at most to the account that asked for it',
    reason: 'A disk that stands still, or a log that is merged just then, is nobody’s doing.',
  },
  smallAnswerCharacters: {
    value: 512,
    unit: 'characters of an answer that is kept for a week',
    reason:
      'Answers of sends are short, and an outbox may come back after days; a week of long ones would fill a disk.',
  },
  keptAnswers: {
    value: 250_000,
    unit: 'answers kept for each account',
    reason:
      'A week of them is rows without end; this is some 40 MB, and ten times what a busy account does. New requests are refused then, and no answer is forgotten.',
  },
  largeAnswers: {
    value: 128,
    unit: 'longer answers kept for each account',
    reason:
      'A client repeats what it lost the answer of, within moments; beyond this the oldest is let go of. For each account, since devices can be linked and taken off again and again.',
  },
  largeAnswerMs: {
    value: 3_600_000,
    unit: 'milliseconds for which a longer answer is kept',
    reason: 'Who has not asked again by then has forgotten the request.',
  },
  postgresConnectMs: {
    value: 5_000,
    unit: 'milliseconds that a connection to PostgreSQL may take, and the wait for a free one',
    reason: 'With the time for an answer it is less than the 15 s after which a client gives its request up.',
  },
  postgresStatementMs: {
    value: 7_000,
    unit: 'milliseconds until PostgreSQL gives up a statement (statement_timeout in DATABASE_URL)',
    reason: 'None needs as long; whatever takes longer holds others up.',
  },
  postgresAnswerMs: {
    value: 8_000,
    unit: 'milliseconds until a PostgreSQL that does not answer is given up (query_timeout in DATABASE_URL)',
    reason: 'A machine that hangs or is cut off says nothing at all, and the connection would be waited on for ever.',
  },
  postgresIdleTransactionMs: {
    value: 60_000,
    unit: 'milliseconds until PostgreSQL ends a transaction in which nothing is asked',
    reason: 'A server that hangs or is cut off must not hold its locks against the one that takes its place.',
  },
} as const satisfies Limits;
