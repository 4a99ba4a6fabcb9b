import { accountOf, deleteAnswers } from './answer-use.ts';
import { LIMITS } from './limits.ts';
import type { Database, Trx } from './schema.ts';

/** Answers let go of in one step. */
const STEP = 500;

/**
 * Notes that a kept answer is long, and lets go of the oldest long ones of the same account where there are too many,
 * whichever of its devices asked. A repeat of such a request after that is a new request.
 */
export async function noteLargeAnswer(trx: Trx, key: { scope: string; id: string }, now: number): Promise<void> {
  const owner = accountOf(key.scope) ?? key.scope;
  await trx
    .insertInto('largeAnswers')
    .values({ scope: key.scope, id: key.id, owner, createdAt: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const surplus = await trx
    .selectFrom('largeAnswers')
    .select(['scope', 'id'])
    .where('owner', '=', owner)
    .orderBy('createdAt', 'desc')
    .orderBy('id')
    .limit(STEP)
    .offset(LIMITS.largeAnswers.value)
    .execute();
  await forget(trx, surplus);
}

/** Lets go of the long answers that have had their time. */
export async function pruneLargeAnswers(db: Database, now: number, signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted) {
    const old = await db
      .selectFrom('largeAnswers')
      .select(['scope', 'id'])
      .where('createdAt', '<', now - LIMITS.largeAnswerMs.value)
      .orderBy('createdAt')
      .limit(STEP)
      .execute();
    if (old.length > 0) await db.transaction().execute((trx) => forget(trx, old));
    if (old.length < STEP) return;
  }
}

async function forget(trx: Trx, keys: readonly { scope: string; id: string }[]): Promise<void> {
  if (keys.length === 0) return;
  await deleteAnswers(trx, keys);
  await trx
    .deleteFrom('largeAnswers')
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('scope', 'id'),
        'in',
        keys.map(({ scope, id }) => tuple(scope, id)),
      ),
    )
    .execute();
}
