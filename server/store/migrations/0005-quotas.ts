import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { StoreKind } from '../migrate.ts';

/** Counts what waits: for each device, for each sender, and in all. Counts what is there already. */
export function quotas(kind: StoreKind): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('queue')
        .addColumn('bytes', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      const queueUse = db.schema
        .createTable('queue_use')
        .addColumn('user_id', 'text', (c) => c.notNull())
        .addColumn('device_id', 'integer', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('messages', 'bigint', (c) => c.notNull())
        .addColumn('expired', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('queue_use_key', ['user_id', 'device_id']);
      await (kind === 'sqlite' ? queueUse.modifyEnd(sql`without rowid`) : queueUse).execute();

      await sql`update queue set bytes = length(key_body) +
        coalesce((select length(payload) from messages where messages.position = queue.position), 0)`.execute(db);
      await sql`insert into queue_use (user_id, device_id, bytes, messages, expired)
        select user_id, device_id, sum(bytes), count(*), 0 from queue group by user_id, device_id`.execute(db);
      await sql`insert into queue_use (user_id, device_id, bytes, messages, expired)
        select sender_user_id, 0, sum(length(payload)), count(*), 0 from messages group by sender_user_id`.execute(db);
      await sql`insert into counters (name, value) select 'queued_bytes', sum(length(payload)) +
        (select coalesce(sum(length(key_body)), 0) from queue) from messages having count(*) > 0`.execute(db);
    },
  };
}
