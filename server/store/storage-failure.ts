import { DamagedLogError } from './write-ahead-log.ts';

/**
 * Why the storage failed, as far as somebody can do something about it:
 * `full`: no space; `damaged`: the database cannot be read any more; `read-only`: it may not be written;
 * `unreachable`: it does not answer now and may later.
 */
export type StorageFailure = 'full' | 'damaged' | 'read-only' | 'unreachable';

/** Primary result codes (https://sqlite.org/rescode.html): BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const SQLITE: Readonly<Record<number, StorageFailure>> = {
  5: 'unreachable',
  6: 'unreachable',
  8: 'read-only',
  10: 'unreachable',
  11: 'damaged',
  13: 'full',
  14: 'read-only',
  26: 'damaged',
};
/** SQLITE_IOERR_SHMSIZE: the file shared by the database's connections cannot grow. */
const SQLITE_SHM_SIZE = 4874;

/** Of Node (errno) and of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const CODES: Readonly<Record<string, StorageFailure>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'unreachable',
  EPIPE: 'unreachable',
  '25006': 'read-only',
  '53100': 'full',
  '25P03': 'unreachable',
  '53300': 'unreachable',
  '55P03': 'unreachable',
  '57014': 'unreachable',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  XX001: 'damaged',
  XX002: 'damaged',
};

/** pg gives no code where the connection ended under a query, or an answer or a connection took too long. */
const PG_CONNECTION =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection)/;

/** Null if the error is of another kind: a mistake in a query, for example. */
export function storageFailure(error: unknown): StorageFailure | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof DamagedLogError) return 'damaged';
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') {
    return errcode === SQLITE_SHM_SIZE ? 'full' : (SQLITE[errcode & 0xff] ?? null);
  }
  if (typeof code === 'string') {
    if (code.startsWith('08')) return 'unreachable';
    return CODES[code] ?? null;
  }
  return PG_CONNECTION.test(error.message) ? 'unreachable' : null;
}
