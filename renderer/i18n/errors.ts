import { ProtocolError, type ErrorCode } from '../../protocol/errors.ts';
import { isStorageFailed } from '../crypto/storage-failed.ts';
import { OfflineError, TimeoutError } from '../net/connection.ts';
import type { Catalog } from './en.ts';

/** Every cause that has words: the server's codes, and what can go wrong before it answers. */
export type ErrorKey = ErrorCode | 'offline' | 'timeout' | 'device_storage' | 'unexpected';

/** A language's table of wordings. Complete by type: a new code does not compile until every language words it. */
export type Words = Readonly<Record<ErrorKey, string>>;

/** The cause of a thrown value; anything unknown is `unexpected`. */
export function errorKeyOf(error: unknown): ErrorKey {
  if (error instanceof ProtocolError) return error.code;
  if (error instanceof OfflineError) return 'offline';
  if (error instanceof TimeoutError) return 'timeout';
  if (isStorageFailed(error)) return 'device_storage';
  return 'unexpected';
}

/** What to tell the person: what happened and what helps. Never the error's own message, which is for developers. */
export function wordsFor(error: unknown, catalog: Catalog): string {
  if (ProtocolError.is(error, 'rate_limited')) {
    const { retryAfterMs } = error.details;
    if (retryAfterMs > 1000) return catalog.errorRateLimited(Math.ceil(retryAfterMs / 1000));
  }
  return catalog.errors[errorKeyOf(error)];
}
