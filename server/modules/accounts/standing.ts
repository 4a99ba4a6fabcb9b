import type { AccountStatus } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { SessionId, UserId } from '../../../protocol/ids.ts';
import type { Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { roleMay } from '../../ws/capabilities.ts';
import type { CallerSession } from '../../ws/method.ts';
import { deleteSessions } from './sessions.ts';

/** What of an account lies with other modules. */
export interface StandingDeps {
  readonly store: Store;
  /** What else belongs to a change, in its transaction. */
  readonly alongside?: (trx: Trx, ended: readonly SessionId[]) => Promise<void>;
}

export interface Changed {
  /** False if the account was so before. */
  readonly changed: boolean;
  /** Sessions that were ended; their connections are still to be closed. */
  readonly ended: readonly SessionId[];
}

/**
 * Suspends, reinstates or removes an account, in one transaction. After a removal the queues of its devices are still to
 * be emptied. Messages that wait for it stay while it is suspended; links that it made for others do not. `by`: whose
 * session asks; null for the command line.
 * Throws `user_unknown` (also for a removed one), `last_administrator`, and what `requireStanding` throws.
 */
export function changeStatus(
  deps: StandingDeps,
  userId: UserId,
  status: AccountStatus,
  by: CallerSession | null,
): Promise<Changed> {
  return deps.store.transaction(async (trx) => {
    if (deps.store.kind === 'postgres') await holdAdministrators(trx, by ? [userId, by.userId] : [userId]);
    if (by) await requireStanding(trx, deps.store.kind, by);
    const account = await findManaged(trx, userId);
    if (account.status === status) return { changed: false, ended: [] };
    if (status !== 'active' && account.status === 'active' && account.role === 'admin')
      await requireOtherAdministrator(trx, userId);
    await trx.updateTable('accounts').set({ status }).where('userId', '=', userId).execute();
    const suspended = status === 'active' && roleMay(account.role, 'organisation') ? 0 : 1;
    await trx.updateTable('deviceLists').set({ suspended }).where('userId', '=', userId).execute();
    const ended = status === 'active' ? [] : await deleteSessions(trx, userId, null);
    await deps.alongside?.(trx, ended);
    if (status === 'active') return { changed: true, ended };
    await trx
      .deleteFrom('passwordResets')
      .where((where) => where.or([where('userId', '=', userId), where('createdBy', '=', userId)]))
      .execute();
    // Else an administrator could come back by an invitation of their own.
    await trx.deleteFrom('invitations').where('createdBy', '=', userId).where('usedBy', 'is', null).execute();
    if (status === 'removed') await deleteWhatIsTheirs(trx, userId);
    return { changed: true, ended };
  });
}

/** An account that was not removed. Throws `user_unknown`. */
export async function findManaged(trx: Trx, userId: UserId) {
  const account = await trx
    .selectFrom('accounts')
    .select(['userId', 'username', 'displayName', 'role', 'status'])
    .where('userId', '=', userId)
    .where('status', '!=', 'removed')
    .executeTakeFirst();
  if (!account) throw new ProtocolError('user_unknown', 'There is no such account.');
  return account;
}

/**
 * Whether somebody may still come in by a password that was checked before: it is the account's, and the account is
 * active. To be asked in the transaction that lets them in. PostgreSQL holds the row until its end, so a change of the
 * password or of the standing comes before this, or ends what this begins.
 * Throws `credentials_invalid`, `account_suspended`.
 */
export async function requirePassword(
  trx: Trx,
  kind: Store['kind'],
  userId: UserId,
  passwordHash: string,
): Promise<void> {
  const account = trx.selectFrom('accounts').select(['status', 'passwordHash']).where('userId', '=', userId);
  const row = await (kind === 'postgres' ? account.forShare() : account).executeTakeFirst();
  if (row?.passwordHash !== passwordHash)
    throw new ProtocolError('credentials_invalid', 'The password was changed meanwhile.');
  if (row.status !== 'active') throw new ProtocolError('account_suspended', 'The account is suspended.');
}

/**
 * Whether a session may still do what it asked for: it has not ended, its account is active and has the role that it had.
 * What a connection may do was settled at its hello, and the request may have waited since. To be asked first in the
 * transaction of the effect. PostgreSQL holds both rows until its end, the account's before the session's as everywhere.
 * Throws `account_suspended`, `forbidden`, `session_invalid`.
 */
export async function requireStanding(
  trx: Trx,
  kind: Store['kind'],
  { sessionId, userId, role }: CallerSession,
): Promise<void> {
  const accounts = trx.selectFrom('accounts').select(['status', 'role']).where('userId', '=', userId);
  const account = await (kind === 'postgres' ? accounts.forNoKeyUpdate() : accounts).executeTakeFirst();
  if (account?.status === 'suspended') throw new ProtocolError('account_suspended', 'The account is suspended.');
  if (account && account.role !== role) throw new ProtocolError('forbidden', 'The role of this account has changed.');
  const sessions = trx.selectFrom('sessions').select('sessionId').where('sessionId', '=', sessionId);
  // Nothing but its end waits for this; that it was seen is noted all the same.
  const session = await (kind === 'postgres' ? sessions.forKeyShare() : sessions).executeTakeFirst();
  if (!session) throw new ProtocolError('session_invalid', 'The session was revoked.');
}

/**
 * For PostgreSQL: of two administrators who suspend each other at once the second waits here, and then sees. In one order,
 * so that no two wait for each other.
 */
async function holdAdministrators(trx: Trx, others: readonly UserId[]): Promise<void> {
  await trx
    .selectFrom('accounts')
    .select('userId')
    .where((where) =>
      where.or([where('userId', 'in', others), where.and({ role: 'admin' as const, status: 'active' as const })]),
    )
    .orderBy('userId')
    .forNoKeyUpdate()
    .execute();
}

async function requireOtherAdministrator(trx: Trx, userId: UserId): Promise<void> {
  const other = await trx
    .selectFrom('accounts')
    .select('userId')
    .where('role', '=', 'admin')
    .where('status', '=', 'active')
    .where('userId', '!=', userId)
    .limit(1)
    .executeTakeFirst();
  if (!other) throw new ProtocolError('last_administrator', 'There would be no administrator left.');
}

/**
 * The row itself stays, so that neither the id nor the username is ever somebody else's. What waits for the devices is
 * deleted afterwards: it may be much, and everybody would wait for it.
 */
async function deleteWhatIsTheirs(trx: Trx, userId: UserId): Promise<void> {
  // Prekeys go with the devices.
  await trx.deleteFrom('devices').where('userId', '=', userId).execute();
  await trx.deleteFrom('deviceLists').where('userId', '=', userId).execute();
  await trx.deleteFrom('linkRequests').where('userId', '=', userId).execute();
  await trx.deleteFrom('accountWords').where('userId', '=', userId).execute();
  await trx
    .updateTable('accounts')
    .set({ passwordHash: '', nameSkeleton: null })
    .where('userId', '=', userId)
    .execute();
}
