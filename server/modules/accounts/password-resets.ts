import { checkReset, completeReset } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import type { AccountsDeps } from './deps.ts';
import { LIMITS } from './limits.ts';
import { deleteSessions } from './sessions.ts';
import { hashToken, newToken } from './tokens.ts';

const VALID_MS = LIMITS.resetHours.value * 3_600_000;

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
    handle: async ({ reset, password }) => {
      const known = await findReset(store.db, reset, now());
      // Whoever repeats it because the answer was lost gives the same password.
      if (known.usedAt !== null) {
        if (await passwords.verify(password, known.passwordHash)) return { username: known.username };
        throw invalid();
      }
      const passwordHash = await passwords.hash(password);
      const ended = await store.transaction(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('passwordResets')
          .set({ usedAt: now() })
          .where('tokenHash', '=', hashToken(reset))
          .where('usedAt', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw invalid();
        await trx.updateTable('accounts').set({ passwordHash }).where('userId', '=', known.userId).execute();
        return deleteSessions(trx, known.userId, null);
      });
      for (const sessionId of ended) bus.publish('sessionRevoked', { sessionId });
      return { username: known.username };
    },
  });
}

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
