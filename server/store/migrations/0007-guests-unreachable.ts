import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The device lists of guests take no messages, as new ones do not. What waits for them goes by its age. */
export function guestsUnreachable(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`update device_lists set suspended = 1
        where user_id in (select user_id from accounts where role = 'guest')`.execute(db);
    },
  };
}
