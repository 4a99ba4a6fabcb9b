import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CamelCasePlugin, Kysely, sql, type Dialect } from 'kysely';
import { migrate } from './migrate.ts';
import type { Database, Schema, Trx } from './schema.ts';
import { NodeSqliteDialect } from './sqlite.ts';

export interface Store {
  readonly kind: 'sqlite' | 'postgres';
  readonly db: Database;
  /**
   * Runs `work` in one transaction. `work` touches nothing but the transaction, since it runs again when another
   * transaction came first (a unique key was taken, or PostgreSQL asks for a retry).
   */
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** Rejects if the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Where SQLite's file lives; made if missing. */
  readonly dataDir: string;
  /** PostgreSQL instead of SQLite. */
  readonly databaseUrl?: string | undefined;
  readonly onError?: (error: Error) => void;
}

/** Opens the database and brings its tables up to date. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const kind = options.databaseUrl ? 'postgres' : 'sqlite';
  const db = new Kysely<Schema>({
    dialect: options.databaseUrl
      ? await postgres(options.databaseUrl, options.onError)
      : sqliteDialect(options.dataDir),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  try {
    await migrate(db, kind);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    kind,
    db,
    transaction: (work) => transactionWithRetry(db, work),
    ping: async () => void (await sql`select 1`.execute(db)),
    close: () => db.destroy(),
  };
}

/** The driver is loaded only where it is used: it takes some megabytes. */
async function postgres(url: string, onError: StoreOptions['onError']): Promise<Dialect> {
  const { postgresDialect } = await import('./postgres.ts');
  return postgresDialect(url, onError ?? (() => undefined));
}

function sqliteDialect(dataDir: string): NodeSqliteDialect {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return new NodeSqliteDialect(join(dataDir, 'teahouse.db'));
}

async function transactionWithRetry<T>(db: Database, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= 4 || !isConflict(error)) throw error;
    }
  }
}

/** PostgreSQL: unique_violation, serialization_failure, deadlock_detected. SQLite: SQLITE_CONSTRAINT_PRIMARYKEY and _UNIQUE. */
const CONFLICTS: ReadonlySet<unknown> = new Set(['23505', '40001', '40P01', 1555, 2067]);

function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return CONFLICTS.has(code) || CONFLICTS.has(errcode);
}
