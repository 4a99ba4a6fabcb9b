import type { Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { foundation } from './migrations/0001-foundation.ts';
import { largeAnswers } from './migrations/0002-large-answers.ts';
import { signedProfiles } from './migrations/0003-signed-profiles.ts';
import { accountStanding } from './migrations/0004-account-standing.ts';
import { quotas } from './migrations/0005-quotas.ts';
import { senderKeys } from './migrations/0006-sender-keys.ts';
import { guestsUsernamesActs } from './migrations/0007-guests-usernames-acts.ts';
import { keptAnswers } from './migrations/0008-kept-answers.ts';
import { requestScopes } from './migrations/0010-request-scopes.ts';
import type { Schema } from './schema.ts';

export type StoreKind = 'sqlite' | 'postgres';

/** In order; a migration that was released is never edited. */
const MIGRATIONS: Readonly<Record<string, (kind: StoreKind) => Migration>> = {
  '0001-foundation': foundation,
  '0002-large-answers': largeAnswers,
  '0003-signed-profiles': signedProfiles,
  '0004-account-standing': accountStanding,
  '0005-quotas': quotas,
  '0006-sender-keys': senderKeys,
  '0007-guests-usernames-acts': guestsUsernamesActs,
  '0008-kept-answers': keptAnswers,
  '0010-request-scopes': requestScopes,
};

/** In order, oldest first. */
export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS);

/**
 * Brings the tables up to date, or only as far as the migration `last`. Several processes may do so at once: one works,
 * the others wait.
 */
export async function migrate(db: Kysely<Schema>, kind: StoreKind, last?: string): Promise<void> {
  const migrations = Object.fromEntries(Object.entries(MIGRATIONS).map(([name, make]) => [name, make(kind)]));
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await (last === undefined ? migrator.migrateToLatest() : migrator.migrateTo(last));
  if (error) throw error;
}
