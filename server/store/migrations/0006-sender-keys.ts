import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What an account has sent and others have yet to fetch counts the wrapped keys too. Counted anew from what waits: what
 * earlier versions wrote counted the payloads alone, and would be given back with its keys.
 */
export function senderKeys(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`delete from queue_use where device_id = 0`.execute(db);
      await sql`insert into queue_use (user_id, device_id, bytes, messages, expired)
        select sender_user_id, 0, sum(length(payload) + coalesce(keys.bytes, 0)), count(*), 0
        from messages left join (select position, sum(length(key_body)) as bytes from queue group by position) as keys
          on keys.position = messages.position
        group by sender_user_id`.execute(db);
    },
  };
}
