import { sql } from 'kysely';
import type { AccountStatus } from '../../../protocol/accounts.ts';
import { managedPeople, reinstate, remove, resetPassword, suspend } from '../../../protocol/administration.ts';
import { changed as personChanged } from '../../../protocol/contacts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Database } from '../../store/schema.ts';
import { roleMay } from '../../ws/capabilities.ts';
import { register, type RegisteredMethod } from '../../ws/method.ts';
import { sortNameOf } from '../contacts/index.ts';
import type { AccountsDeps } from './deps.ts';
import { createReset } from './password-resets.ts';
import { changeStatus, findManaged, requireStanding } from './standing.ts';

/** What administrators do with other people's accounts. Each act leaves a line in the log: who, what, to whom. */
export function administrationMethods(deps: AccountsDeps): readonly RegisteredMethod[] {
  return [
    peopleMethod(deps),
    statusMethod(deps, suspend, 'suspended'),
    statusMethod(deps, reinstate, 'active'),
    statusMethod(deps, remove, 'removed'),
    resetPasswordMethod(deps),
  ];
}

function statusMethod(
  deps: AccountsDeps,
  method: typeof suspend | typeof reinstate | typeof remove,
  status: AccountStatus,
): RegisteredMethod {
  return register(method, {
    permission: 'admin',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async ({ userId }: { userId: UserId }, { session }) => {
      const { changed, ended } = await changeStatus(deps, userId, status, session);
      if (!changed) return {};
      if (status === 'removed') deps.devicesGone();
      audit(deps, method.name, session.userId, userId);
      // After the answer, since administrators may end their own sessions.
      setImmediate(() => {
        for (const sessionId of ended) deps.bus.publish('sessionRevoked', { sessionId });
      });
      await announce(deps, userId);
      return {};
    },
  });
}

function resetPasswordMethod(deps: AccountsDeps) {
  return register(resetPassword, {
    permission: 'admin',
    limit: { requests: 30, seconds: 60, by: 'account' },
    // The answer holds a token, which is kept nowhere: a repeat is answered with a fresh one, and the lost one is void.
    replay: 'own',
    handle: async ({ userId }, { session }) => {
      const made = await deps.store.transaction(async (trx) => {
        await requireStanding(trx, deps.store.kind, session);
        await findManaged(trx, userId);
        return createReset(trx, userId, session.userId, deps.now());
      });
      audit(deps, resetPassword.name, session.userId, userId);
      return made;
    },
  });
}

function peopleMethod({ store }: AccountsDeps) {
  return register(managedPeople, {
    permission: 'admin',
    limit: { requests: 120, seconds: 60, by: 'account' },
    handle: async ({ text, limit, after }) => {
      const people = await findPeople(store.db, text, limit + 1, after);
      return { people: people.slice(0, limit), more: people.length > limit };
    },
  });
}

/** In the directory's order. */
export async function findPeople(db: Database, text: string, limit: number, after: UserId | undefined) {
  let query = db
    .selectFrom('accounts')
    .select(['userId', 'username', 'displayName', 'role', 'status', 'createdAt'])
    .select((where) =>
      where
        .selectFrom('sessions')
        .select((seen) => seen.fn.max('lastSeenAt').as('lastSeenAt'))
        .whereRef('sessions.userId', '=', 'accounts.userId')
        .as('lastSeenAt'),
    );
  const wanted = `%${sortNameOf(text.trim()).replace(/[\\%_]/g, '\\$&')}%`;
  query = query.where(
    sql<boolean>`(sort_name like ${wanted} escape ${'\\'} or username like ${wanted} escape ${'\\'})`,
  );
  const last =
    after === undefined
      ? undefined
      : await db.selectFrom('accounts').select('sortName').where('userId', '=', after).executeTakeFirst();
  if (last && after !== undefined) {
    query = query.where((where) =>
      where.or([
        where('sortName', '>', last.sortName),
        where.and([where('sortName', '=', last.sortName), where('userId', '>', after)]),
      ]),
    );
  }
  return query.orderBy('sortName').orderBy('userId').limit(limit).execute();
}

/** Others see what the account is now; a guest they do not see. */
async function announce({ store, events }: AccountsDeps, userId: UserId): Promise<void> {
  const account = await store.db
    .selectFrom('accounts')
    .select(['userId', 'username', 'displayName', 'role', 'status'])
    .where('userId', '=', userId)
    .executeTakeFirstOrThrow();
  const { status, ...person } = account;
  if (!roleMay(person.role, 'organisation')) return;
  events.toEveryone(personChanged, { person: status === 'active' ? person : { ...person, status } });
}

function audit({ log }: AccountsDeps, action: string, by: UserId, of: UserId): void {
  log.info({ audit: action, by, of }, 'an administrator changed an account');
}
