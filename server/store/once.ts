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
    if (!(await claimAnswer(trx, key, now, null))) {
      const first = await findAnswer(trx, key);
      if (!first) throw new Error('a kept answer is gone');
      return { result: first.result as R, repeated: true };
    }
    const result = await effect(trx);
    await trx
      .updateTable('idempotency')
      .set({ result: JSON.stringify(result) })
      .where('scope', '=', key.scope)
      .where('id', '=', key.id)
      .execute();
    return { result, repeated: false };
  });
}

/**
 * Keeps an answer before its effect, unless the request was answered before; says whether it did. On PostgreSQL this
 * waits for an equal request that is under way, so of two at once the second sees the first whole or not at all.
 */
export async function claimAnswer(trx: Trx, key: RequestKey, now: number, result: unknown): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('idempotency')
    .values({ ...key, result: JSON.stringify(result), createdAt: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
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

/** Rows forgotten in one statement, so that nobody waits long for it. */
const PRUNE_ROWS = 2000;

/** Forgets answers older than REPLAY_MS. */
export async function pruneAnswers(db: Database, now: number): Promise<void> {
  const old = db
    .selectFrom('idempotency')
    .select(['scope', 'id'])
    .where('createdAt', '<', now - REPLAY_MS)
    .limit(PRUNE_ROWS);
  for (;;) {
    const { numDeletedRows } = await db
      .deleteFrom('idempotency')
      .where(({ eb, refTuple }) => eb(refTuple('scope', 'id'), 'in', old.$asTuple('scope', 'id')))
      .executeTakeFirst();
    if (numDeletedRows < BigInt(PRUNE_ROWS)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
