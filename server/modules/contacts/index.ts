import type { SelectQueryBuilder } from 'kysely';
import type { Account } from '../../../protocol/accounts.ts';
import { get, search } from '../../../protocol/contacts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Database, Schema, Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { rolesWith } from '../../ws/capabilities.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import { register, type CallerSession } from '../../ws/method.ts';
import type { ServerModule } from '../../ws/module.ts';
import { personOf, PERSON_COLUMNS } from './person.ts';
import { publishProfileMethod } from './profile.ts';
import { fold, wordsOf } from './words.ts';

export { personOf } from './person.ts';
export { profileColumns } from './profile.ts';

export interface ContactsDeps {
  readonly store: Store;
  readonly events: EventSink;
  /** Throws unless whoever asked may do so still; to be asked first in a transaction. */
  readonly requireStanding: (trx: Trx, session: CallerSession) => Promise<void>;
}

/** Greater than every word that begins the same way, compared as UTF-8 bytes. */
const LAST_CHARACTER = '\u{10ffff}';

/** The organisation's directory. */
export function contactsModule(deps: ContactsDeps): ServerModule {
  return { methods: [searchMethod(deps), getMethod(deps), publishProfileMethod(deps)] };
}

/** Makes a new account findable. */
export async function indexPerson(trx: Trx, account: Account): Promise<void> {
  const words = new Set([...wordsOf(account.displayName), ...wordsOf(account.username), fold(account.username)]);
  await trx
    .insertInto('accountWords')
    .values([...words].map((word) => ({ word, userId: account.userId })))
    .execute();
}

/** By what the directory orders people. */
export function sortNameOf(displayName: string): string {
  return fold(displayName);
}

function searchMethod({ store }: ContactsDeps) {
  return register(search, {
    permission: 'device',
    limit: { requests: 300, seconds: 60, by: 'account' },
    handle: async ({ text, limit, after }) => {
      let query = store.db
        .selectFrom('accounts')
        .select(PERSON_COLUMNS)
        .where('status', '=', 'active')
        .where('role', 'in', rolesWith('organisation'));
      for (const prefix of prefixesOf(text)) query = withWord(query, prefix);
      if (after !== undefined) query = await onwards(store.db, query, after);
      const rows = await query
        .orderBy('sortName')
        .orderBy('accounts.userId')
        .limit(limit + 1)
        .execute();
      return { people: rows.slice(0, limit).map(personOf), more: rows.length > limit };
    },
  });
}

function getMethod({ store }: ContactsDeps) {
  return register(get, {
    permission: 'device',
    limit: { requests: 300, seconds: 60, by: 'account' },
    handle: async ({ users }) => {
      const rows = await store.db
        .selectFrom('accounts')
        .select([...PERSON_COLUMNS, 'status'])
        .where('userId', 'in', users)
        .where('role', 'in', rolesWith('organisation'))
        .execute();
      return {
        people: rows.map(({ status, ...row }) => ({ ...personOf(row), ...(status === 'active' ? {} : { status }) })),
      };
    },
  });
}

/** The username as a whole counts as a word too, so that "a.b" finds "a.bell". */
function prefixesOf(text: string): string[] {
  const whole = fold(text.trim());
  return /^[a-z0-9._-]+$/.test(whole) && /[a-z0-9]/.test(whole) ? [whole] : wordsOf(text);
}

function withWord<O>(query: SelectQueryBuilder<Schema, 'accounts', O>, prefix: string) {
  return query.where('accounts.userId', 'in', (where) =>
    where
      .selectFrom('accountWords')
      .select('accountWords.userId')
      .where('word', '>=', prefix)
      .where('word', '<', prefix + LAST_CHARACTER),
  );
}

async function onwards<O>(db: Database, query: SelectQueryBuilder<Schema, 'accounts', O>, after: UserId) {
  const last = await db
    .selectFrom('accounts')
    .select('sortName')
    .where('userId', '=', after)
    // Else the place of somebody who is not found would tell of them.
    .where('role', 'in', rolesWith('organisation'))
    .executeTakeFirst();
  if (!last) return query;
  return query.where((where) =>
    where.or([
      where('sortName', '>', last.sortName),
      where.and([where('sortName', '=', last.sortName), where('accounts.userId', '>', after)]),
    ]),
  );
}
