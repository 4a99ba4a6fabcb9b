import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What each account is called, signed with its key. Null for accounts that have not published it. */
export function signedProfiles(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const accounts = () => db.schema.alterTable('accounts');
      await accounts().addColumn('profile_version', 'bigint').execute();
      await accounts().addColumn('profile_payload', 'text').execute();
      await accounts().addColumn('profile_signature', 'text').execute();
    },
  };
}
