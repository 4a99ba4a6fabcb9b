import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { StoreKind } from '../migrate.ts';

/** Counts the answers that are kept for each account, and names whose the long ones are. Counts what is there already. */
export function keptAnswers(kind: StoreKind): Migration {
  const account = kind === 'postgres' ? sql`split_part(scope, '/', 1)` : sql`substr(scope, 1, instr(scope, '/') - 1)`;
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('queue_use')
        .addColumn('answers', 'bigint', (c) => c.notNull().defaultTo(0))
        .execute();
      // Of a session: those of signing up and in belong to nobody.
      await sql`insert into queue_use (user_id, device_id, bytes, messages, expired, answers)
        select ${account}, 0, 0, 0, 0, count(*) from idempotency
          where scope like '%/%' and scope not like 'sign-%' group by ${account}
        on conflict (user_id, device_id) do update set answers = excluded.answers`.execute(db);

      await db.schema
        .alterTable('large_answers')
        .addColumn('owner', 'text', (c) => c.notNull().defaultTo(''))
        .execute();
      await sql`update large_answers set owner =
        case when scope like '%/%' and scope not like 'sign-%' then ${account} else scope end`.execute(db);
      await db.schema
        .createIndex('large_answers_by_owner')
        .on('large_answers')
        .columns(['owner', 'created_at'])
        .execute();
    },
  };
}
