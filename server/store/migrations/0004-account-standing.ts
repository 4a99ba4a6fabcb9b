import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { skeletonOf } from '../../name-skeleton.ts';

/** Accounts can be suspended and removed, passwords reset, and display names compared by their looks. */
export function accountStanding(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('accounts')
        .addColumn('status', 'text', (c) => c.notNull().defaultTo('active'))
        .execute();
      await db.schema.alterTable('accounts').addColumn('name_skeleton', 'text').execute();
      // Beside the version, which every send reads anyway.
      await db.schema
        .alterTable('device_lists')
        .addColumn('suspended', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await fillSkeletons(db);
      await db.schema
        .createIndex('accounts_by_name_skeleton')
        .on('accounts')
        .columns(['name_skeleton'])
        .unique()
        .execute();
      await db.schema
        .createTable('password_resets')
        .addColumn('token_hash', 'text', (c) => c.primaryKey())
        .addColumn('user_id', 'text', (c) => c.notNull().unique().references('accounts.user_id').onDelete('cascade'))
        .addColumn('created_by', 'text', (c) => c.references('accounts.user_id').onDelete('set null'))
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('expires_at', 'bigint', (c) => c.notNull())
        .addColumn('used_at', 'bigint')
        .execute();
      await db.schema
        .createTable('ended_sessions')
        .addColumn('session_id', 'text', (c) => c.primaryKey())
        .execute();
    },
  };
}

/** Who had a name first keeps it to himself; people who share one already go on sharing it, without a skeleton. */
async function fillSkeletons(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ id: string; name: string }>`
    select user_id as id, display_name as name from accounts order by created_at, user_id`.execute(db);
  const seen = new Set<string>();
  for (const { id, name } of rows) {
    const skeleton = skeletonOf(name);
    if (seen.has(skeleton)) continue;
    seen.add(skeleton);
    await sql`update accounts set name_skeleton = ${skeleton} where user_id = ${id}`.execute(db);
  }
}
