import { sql } from 'kysely';
import { ProtocolError } from '../../protocol/errors.ts';
import type { UserId } from '../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import type { Database, Trx } from './schema.ts';

/** When somebody is to try again of whom too many answers are kept; they go one by one as they get old. Milliseconds. */
export const ANSWERS_RETRY_MS = 3_600_000;

/** The row of an account in `queue_use` on which its answers are counted too; no device has this id. */
const ACCOUNT_ROW = 0;

/** The last part of the scopes in which requests other than sends keep their answers. */
export const REQUESTS = 'requests';

/** `essential`: what an owner must be able to do whatever was done in their name; it counts and is never refused. */
export type AnswerUse = 'ordinary' | 'essential';

/**
 * Counts one more answer that is kept for a repeat. Throws `rate_limited` where the account has too many: a new request
 * is refused rather than an answer forgotten, since a repeat of what was forgotten would take effect twice.
 */
export async function countAnswer(trx: Trx, scope: string, use: AnswerUse = 'ordinary'): Promise<void> {
  const userId = accountOf(scope);
  if (userId === null) return;
  const { answers } = await trx
    .insertInto('queueUse')
    .values({ userId, deviceId: ACCOUNT_ROW, bytes: 0, messages: 0, expired: 0, answers: 1 })
    .onConflict((conflict) =>
      conflict.columns(['userId', 'deviceId']).doUpdateSet({ answers: sql`queue_use.answers + 1` }),
    )
    .returning('answers')
    .executeTakeFirstOrThrow();
  if (use === 'ordinary' && answers > LIMITS.keptAnswers.value) {
    throw new ProtocolError('rate_limited', 'Too many answers of this account are kept for repeats.', {
      retryAfterMs: ANSWERS_RETRY_MS,
    });
  }
}

/** Deletes answers and gives back what they counted; those that are gone already give nothing. */
export async function deleteAnswers(trx: Trx, keys: readonly { scope: string; id: string }[]): Promise<void> {
  if (keys.length === 0) return;
  const deleted = await trx
    .deleteFrom('idempotency')
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('scope', 'id'),
        'in',
        keys.map(({ scope, id }) => tuple(scope, id)),
      ),
    )
    .returning('scope')
    .execute();
  const counts = new Map<UserId, number>();
  for (const { scope } of deleted) {
    const userId = accountOf(scope);
    if (userId !== null) counts.set(userId, (counts.get(userId) ?? 0) + 1);
  }
  // In one order, so that no two transactions wait for each other.
  for (const [userId, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await trx
      .updateTable('queueUse')
      .set(({ eb }) => ({ answers: eb('answers', '-', count) }))
      .where('userId', '=', userId)
      .where('deviceId', '=', ACCOUNT_ROW)
      .execute();
  }
}

/**
 * Those of these scopes that belong to a device which is on no list any more, so that nobody can repeat what it asked. A
 * device is on the list before it asks anything under its own name.
 */
export async function scopesOfGoneDevices(db: Database, scopes: readonly string[]): Promise<ReadonlySet<string>> {
  const gone = new Set(scopes.filter((scope) => accountOf(scope) !== null && OF_DEVICE.test(scope)));
  const users = [...new Set([...gone].map((scope) => accountOf(scope) as UserId))];
  if (users.length === 0) return gone;
  const devices = await db.selectFrom('devices').select(['userId', 'deviceId']).where('userId', 'in', users).execute();
  for (const { userId, deviceId } of devices) {
    gone.delete(`${userId}/${deviceId}`);
    gone.delete(`${userId}/${deviceId}/${REQUESTS}`);
  }
  return gone;
}

/** Names a device by its number; where there was no device yet, a scope names a session by its id. */
const OF_DEVICE = new RegExp(`/\\d+(/${REQUESTS})?$`, 'u');

/** Whose answers these are. Null: of nobody who has a session; signing up and in is limited by address and by name. */
export function accountOf(scope: string): UserId | null {
  const end = scope.indexOf('/');
  return end < 0 || scope.startsWith('sign-') ? null : (scope.slice(0, end) as UserId);
}
