import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { skeletonOf } from '../../name-skeleton.ts';

/**
 * Guests take no messages any more, usernames are compared by their looks, as display names are, and what is done on the
 * command line waits here for the log of the server.
 */
export function guestsUsernamesActs(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await closeGuests(db);
      await db.schema.alterTable('accounts').addColumn('username_skeleton', 'text').execute();
      await fillSkeletons(db);
      await db.schema
        .createIndex('accounts_by_username_skeleton')
        .on('accounts')
        .columns(['username_skeleton'])
        .unique()
        .execute();
      await db.schema
        .createTable('command_acts')
        .addColumn('act_id', 'text', (c) => c.primaryKey())
        .addColumn('action', 'text', (c) => c.notNull())
        .addColumn('of', 'text')
        .addColumn('role', 'text')
        .addColumn('count', 'integer')
        .addColumn('at', 'bigint', (c) => c.notNull())
        .execute();
    },
  };
}

/** The device lists of guests take no messages, as new ones do not. What waits for them goes by its age. */
export async function closeGuests(db: Kysely<unknown>): Promise<void> {
  await sql`update device_lists set suspended = 1
    where user_id in (select user_id from accounts where role = 'guest')`.execute(db);
}

/** Who came first keeps the looks to himself; others who have such a username go on with it, without a skeleton. */
async function fillSkeletons(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ id: string; username: string }>`
    select user_id as id, username from accounts order by created_at, user_id`.execute(db);
  const seen = new Set<string>();
  for (const { id, username } of rows) {
    const skeleton = skeletonOf(username);
    if (seen.has(skeleton)) continue;
    seen.add(skeleton);
    await sql`update accounts set username_skeleton = ${skeleton} where user_id = ${id}`.execute(db);
  }
}
