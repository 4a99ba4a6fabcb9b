import { checkReset, completeReset } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { ResultOf } from '../../../protocol/method.ts';
import type { Database, Trx } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import type { AccountsDeps } from './deps.ts';
import { LIMITS } from './limits.ts';
import { deleteSessions } from './sessions.ts';
import { hashToken, newToken } from './tokens.ts';

const VALID_MS = LIMITS.resetHours.value * 3_600_000;
const REPEAT_MS = LIMITS.resetRepeatMinutes.value * 60_000;

/** Makes a token for a new password; an earlier one of the account is void from here on. */
export async function createReset(
  trx: Trx,
  userId: UserId,
  createdBy: UserId | null,
  now: number,
): Promise<{ readonly reset: string; readonly expiresAt: number }> {
  const reset = newToken();
  const expiresAt = now + VALID_MS;
  await trx.deleteFrom('passwordResets').where('userId', '=', userId).execute();
  await trx
    .insertInto('passwordResets')
    .values({ tokenHash: hashToken(reset), userId, createdBy, createdAt: now, expiresAt, usedAt: null })
    .execute();
  return { reset, expiresAt };
}

export async function pruneResets(db: Database, now: number): Promise<void> {
  await db.deleteFrom('passwordResets').where('expiresAt', '<=', now).execute();
}

/** The token is in the fragment, which browsers send to no server and write to no server's log. */
export function resetLink(origin: string, token: string): string {
  return `${origin}/#/reset/${token}`;
}

export function checkResetMethod({ store, now, organisation }: AccountsDeps) {
  return register(checkReset, {
    permission: 'anyone',
    limit: { requests: 60, seconds: 600, by: 'address' },
    handle: async ({ reset }) => {
      const { username, expiresAt, usedAt } = await findReset(store.db, reset, now());
      if (usedAt !== null) throw invalid();
      return { username, organisation, expiresAt };
    },
  });
}

export function completeResetMethod(deps: AccountsDeps) {
  const { store, passwords, now, bus } = deps;
  return register(completeReset, {
    permission: 'anyone',
    limit: { requests: 30, seconds: 600, by: 'address' },
    handle: async ({ reset, password }, { address }) => {
      const known = await findReset(store.db, reset, now());
      if (known.usedAt !== null) return repeat(deps, known, password, address);
      const passwordHash = await passwords.hash(password);
      const ended = await store.transaction(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('passwordResets')
          .set({ usedAt: now() })
          .where('tokenHash', '=', hashToken(reset))
          .where('usedAt', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return null;
        await trx.updateTable('accounts').set({ passwordHash }).where('userId', '=', known.userId).execute();
        return deleteSessions(trx, known.userId, null);
      });
      // Used or voided meanwhile.
      if (ended === null) return repeat(deps, await findReset(store.db, reset, now()), password, address);
      for (const sessionId of ended) bus.publish('sessionRevoked', { sessionId });
      return { username: known.username };
    },
  });
}

/**
 * The link was used, but the answer may have been lost: whoever gives the password that was set gets it again. To others
 * this is a guess at the password, so it counts as a failed sign-in does, and soon after the use it is answered no more.
 * Throws `reset_invalid`, `rate_limited`.
 */
async function repeat(
  { passwords, signInLimits, now }: AccountsDeps,
  { username, passwordHash, usedAt }: Known,
  password: string,
  address: string,
): Promise<ResultOf<typeof completeReset>> {
  if (usedAt === null || now() - usedAt > REPEAT_MS) throw invalid();
  const forgive = await signInLimits.attempt(username, address, undefined);
  if (!(await passwords.verify(password, passwordHash))) throw invalid();
  await forgive();
  return { username };
}

type Known = Awaited<ReturnType<typeof findReset>>;

/** Of an account that can sign in; used or not. Throws `reset_invalid`. */
async function findReset(db: Database, token: string, now: number) {
  const row = await db
    .selectFrom('passwordResets')
    .innerJoin('accounts', 'accounts.userId', 'passwordResets.userId')
    .select(['accounts.userId', 'username', 'passwordHash', 'expiresAt', 'usedAt'])
    .where('tokenHash', '=', hashToken(token))
    .where('expiresAt', '>', now)
    .where('status', '=', 'active')
    .executeTakeFirst();
  if (!row) throw invalid();
  return row;
}

function invalid(): ProtocolError {
  return new ProtocolError('reset_invalid', 'The link was used, has expired or never was.');
}
