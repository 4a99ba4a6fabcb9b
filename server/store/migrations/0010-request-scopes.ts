import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Requests keep their answers apart from sends. The scopes of sends, which are nearly all, stay; those of signing up and in
 * were apart before.
 */
export function requestScopes(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`update idempotency set scope = scope || '/requests'
        where method <> 'chat.send' and scope like '%/%' and scope not like 'sign-%'`.execute(db);
      // The answer to a send is never long.
      await sql`update large_answers set scope = scope || '/requests'
        where scope like '%/%' and scope not like 'sign-%'`.execute(db);
    },
  };
}
