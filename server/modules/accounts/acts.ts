import { randomUUID } from 'node:crypto';
import type { Role } from '../../../protocol/accounts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';
import type { AccountsDeps } from './deps.ts';

/** What was done on the command line: no names, and none of the links that it made. */
export interface Act {
  /** The command. */
  readonly action: string;
  readonly of?: UserId;
  readonly role?: Role;
  readonly count?: number;
  readonly at: number;
}

/** How many are written to the log at once. */
const AT_ONCE = 500;

/**
 * Notes an act for the log of the server, which the command line cannot write to; in the act's own transaction, so that
 * there is none without the other.
 */
export async function noteAct(trx: Trx, { action, of, role, count, at }: Act): Promise<void> {
  const row = { actId: randomUUID() as string, action, of: of ?? null, role: role ?? null, count: count ?? null, at };
  await trx.insertInto('commandActs').values(row).execute();
}

/** Writes the acts that were noted to the log; those of a time without a server at its next start. */
export async function logActs({ store, log }: Pick<AccountsDeps, 'log'> & { store: { db: Database } }): Promise<void> {
  const rows = await store.db.selectFrom('commandActs').selectAll().orderBy('at').limit(AT_ONCE).execute();
  if (rows.length === 0) return;
  for (const { action, at, ...rest } of rows) {
    const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
    const when = new Date(at).toISOString();
    log.info({ audit: action, by: 'command line', at: when, ...said }, 'something was done on the command line');
  }
  // Afterwards: a line that is there twice has the same id; one that is missing nobody misses.
  const ids = rows.map(({ actId }) => actId);
  await store.db.deleteFrom('commandActs').where('actId', 'in', ids).execute();
}
