import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '../../protocol/errors.ts';
import type { IdempotencyId } from '../../protocol/ids.ts';
import { countAnswer, deleteAnswers, scopesOfGoneDevices, type AnswerUse } from './answer-use.ts';
import { noteLargeAnswer } from './large-answers.ts';
import { LIMITS } from './limits.ts';
import type { Store } from './store.ts';
import type { Database, Trx } from './schema.ts';

/** How long first answers are kept, unless they are long (`large-answers.ts`). Milliseconds. */
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
 * effect. Errors: `invalid_request` if the id was used for another method, `rate_limited` if too many answers of the
 * account are kept.
 */
export async function once<R>(
  store: Store,
  key: RequestKey,
  now: number,
  effect: (trx: Trx) => Promise<R>,
  use: AnswerUse = 'ordinary',
): Promise<{ readonly result: R; readonly repeated: boolean }> {
  return store.transaction(async (trx) => {
    if (!(await claimAnswer(trx, key, now, null))) {
      const first = await findAnswer(trx, key);
      if (!first) throw new Error('a kept answer is gone');
      return { result: first.result as R, repeated: true };
    }
    const result = await effect(trx);
    const text = JSON.stringify(result);
    await trx
      .updateTable('idempotency')
      .set({ result: text })
      .where('scope', '=', key.scope)
      .where('id', '=', key.id)
      .execute();
    // After the effect, as sends do: they hold the device lists first, and then these rows.
    await countAnswer(trx, key.scope, use);
    if (text.length > LIMITS.smallAnswerCharacters.value) await noteLargeAnswer(trx, key, now);
    return { result, repeated: false };
  });
}

/** Answers that are kept by the two functions below are short by their nature; this says where one is not. */
function shortText(key: RequestKey, result: unknown): string {
  const text = JSON.stringify(result);
  if (text.length > LIMITS.smallAnswerCharacters.value)
    throw new Error(`the answer of ${key.method} is too long to be kept for a week: use once()`);
  return text;
}

/**
 * Keeps an answer before its effect, unless the request was answered before; says whether it did. On PostgreSQL this
 * waits for an equal request that is under way, so of two at once the second sees the first whole or not at all. It
 * counts for no account: who signs up has none.
 */
export async function claimAnswer(trx: Trx, key: RequestKey, now: number, result: unknown): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('idempotency')
    .values({ ...key, result: shortText(key, result), createdAt: now })
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

/** Errors: `rate_limited` if too many answers of the account are kept. */
export async function keepAnswer(trx: Trx, key: RequestKey, now: number, result: unknown): Promise<void> {
  await trx
    .insertInto('idempotency')
    .values({ ...key, result: shortText(key, result), createdAt: now })
    .execute();
  await countAnswer(trx, key.scope);
}

/**
 * Forgets the answers to one that were kept before a time, where a repeat comes within moments. For scopes whose answers
 * count for no account.
 */
export async function forgetAnswers(trx: Trx, scope: string, before: number): Promise<void> {
  await trx.deleteFrom('idempotency').where('scope', '=', scope).where('createdAt', '<', before).execute();
}

export function idempotencyIdReused(): ProtocolError<'invalid_request'> {
  return new ProtocolError('invalid_request', 'The idempotency id was used for another method.', {
    issues: [{ path: 'idempotencyId', problem: 'was used for another method' }],
  });
}

/** Rows looked at in one step, and the pause after it, so that nobody waits long. Milliseconds. */
const PRUNE_ROWS = 2000;
const PRUNE_PAUSE_MS = 20;

/**
 * Forgets answers older than REPLAY_MS, and those to devices that left their account. Walks through all of them: an index by age would cost more with every message
 * than this does once a day. Ends early when `signal` is aborted.
 */
export async function pruneAnswers(db: Database, now: number, signal?: AbortSignal): Promise<void> {
  let last = { scope: '', id: '' };
  while (!signal?.aborted) {
    const rows = await db
      .selectFrom('idempotency')
      .select(['scope', 'id', 'createdAt'])
      .where(({ eb, refTuple, tuple }) => eb(refTuple('scope', 'id'), '>', tuple(last.scope, last.id)))
      .orderBy('scope')
      .orderBy('id')
      .limit(PRUNE_ROWS)
      .execute();
    const gone = await scopesOfGoneDevices(
      db,
      rows.map(({ scope }) => scope),
    );
    const old = rows.filter(({ createdAt, scope }) => createdAt < now - REPLAY_MS || gone.has(scope));
    if (old.length > 0) await db.transaction().execute((trx) => deleteAnswers(trx, old));
    const end = rows.at(-1);
    if (!end || rows.length < PRUNE_ROWS) return;
    last = end;
    await delay(PRUNE_PAUSE_MS);
  }
}
