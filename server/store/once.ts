import { ProtocolError } from '../../protocol/errors.ts';
import type { IdempotencyId } from '../../protocol/ids.ts';
import type { Store } from './store.ts';
import type { Database, Trx } from './schema.ts';

/** How long first answers are kept. Milliseconds. */
export const REPLAY_MS = 7 * 24 * 3600 * 1000;

/** Names one keyed request. */
export interface RequestKey {
  /** Who asked: see `scopeOf`. */
  readonly scope: string;
  readonly id: IdempotencyId;
  readonly method: string;
}

/**
 * Runs `effect` and keeps its answer in the same transaction; a repeat of the request gets the first answer and has no
 * effect. Errors: `invalid_request` if the id was used for another method.
 */
export async function once<R>(
  store: Store,
  key: RequestKey,
  now: number,
  effect: (trx: Trx) => Promise<R>,
): Promise<{ readonly result: R; readonly repeated: boolean }> {
  return store.transaction(async (trx) => {
    const first = await findAnswer(trx, key);
    if (first) return { result: first.result as R, repeated: true };
    const result = await effect(trx);
    await keepAnswer(trx, key, now, result);
    return { result, repeated: false };
  });
}

/** The first answer to this request, if there was one. */
export async function findAnswer(
  db: Database | Trx,
  key: RequestKey,
): Promise<{ readonly result: unknown } | undefined> {
  const row = await db
    .selectFrom('idempotency')
    .select(['method', 'result'])
    .where('scope', '=', key.scope)
    .where('id', '=', key.id)
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.method !== key.method) throw idempotencyIdReused();
  return { result: JSON.parse(row.result) };
}

export async function keepAnswer(db: Database | Trx, key: RequestKey, now: number, result: unknown): Promise<void> {
  await db
    .insertInto('idempotency')
    .values({ ...key, result: JSON.stringify(result), createdAt: now })
    .execute();
}

export function idempotencyIdReused(): ProtocolError<'invalid_request'> {
  return new ProtocolError('invalid_request', 'The idempotency id was used for another method.', {
    issues: [{ path: 'idempotencyId', problem: 'was used for another method' }],
  });
}

/** Forgets answers older than REPLAY_MS. */
export async function pruneAnswers(db: Database, now: number): Promise<void> {
  await db
    .deleteFrom('idempotency')
    .where('createdAt', '<', now - REPLAY_MS)
    .execute();
}
