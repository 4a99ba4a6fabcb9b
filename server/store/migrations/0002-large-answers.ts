import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { StoreKind } from '../migrate.ts';

/** Names the kept answers that are long, so that they can be counted and let go of sooner than the others. */
export function largeAnswers(kind: StoreKind): Migration {
  const length = kind === 'postgres' ? sql`char_length(result)` : sql`length(result)`;
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('large_answers')
        .addColumn('scope', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('large_answers_key', ['scope', 'id'])
        .execute();
      await db.schema.createIndex('large_answers_by_age').on('large_answers').column('created_at').execute();
      await sql`insert into large_answers (scope, id, created_at)
        select scope, id, created_at from idempotency where ${length} > 512`.execute(db);
    },
  };
}
