import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CamelCasePlugin, Kysely, sql, type Dialect } from 'kysely';
import { requireDatabase } from './accounts-marker.ts';
import { makeDataFolder } from './data-folder.ts';
import { migrate } from './migrate.ts';
import type { Database, Schema, Trx } from './schema.ts';
import { NodeSqliteDialect } from './sqlite.ts';
import { Turns, type Payer } from './turns.ts';
import { requireSoundLog } from './write-ahead-log.ts';

/** SQLite’s default, which the database is made with. */
const PAGE_BYTES = 4096;

export interface Store {
  readonly kind: 'sqlite' | 'postgres';
  readonly db: Database;
  /**
   * Runs `work` in one transaction. `work` touches nothing but the transaction, since it runs again when another
   * transaction came first (a unique key was taken, or PostgreSQL asks for a retry).
   */
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /**
   * Runs `work`. On SQLite the time that its statements take of the event loop counts for `payer`, and where others ask,
   * too, it takes turns with them. PostgreSQL works elsewhere.
   */
  onBehalfOf<T>(payer: Payer, work: () => T): T;
  /** Rejects if the database does not answer. */
  ping(): Promise<void>;
  /**
   * SQLite: merges the log of changes into the database, and begins the log anew in the space that it has. Returns the
   * bytes that could not be merged yet. Nothing on PostgreSQL, which sees to that itself.
   */
  checkpoint(): Promise<number>;
  /** SQLite: merges as much of the log as readers and writers of other processes allow, and waits for none of them. */
  mergeLog(): Promise<void>;
  /** When SQLite’s log was last written, by the file system’s clock; 0 where there is none. Milliseconds. */
  logChangedAt(): Promise<number>;
  /** The most that the next checkpoint may write, in bytes: the size of SQLite’s log; 0 on PostgreSQL. */
  logBytes(): Promise<number>;
  /** What deleted rows have left inside SQLite’s file and new ones take first, in bytes; 0 on PostgreSQL. */
  reusableBytes(): Promise<number>;
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
  const turns = new Turns();
  const db = await openDatabase(options, kind, turns);
  return {
    kind,
    db,
    transaction: (work) => transactionWithRetry(db, work),
    onBehalfOf: (payer, work) => (kind === 'sqlite' ? turns.onBehalfOf(payer, work) : work()),
    ping: async () => void (await sql`select 1`.execute(db)),
    checkpoint: () => (kind === 'sqlite' ? checkpoint(db) : Promise.resolve(0)),
    mergeLog: async () => void (kind === 'sqlite' && (await sql`pragma wal_checkpoint(passive)`.execute(db))),
    logChangedAt: async () => (kind === 'sqlite' ? ((await statOf(logPath(options.dataDir)))?.mtimeMs ?? 0) : 0),
    reusableBytes: () => (kind === 'sqlite' ? reusable(db) : Promise.resolve(0)),
    logBytes: async () => (kind === 'sqlite' ? ((await statOf(logPath(options.dataDir)))?.size ?? 0) : 0),
    close: () => db.destroy(),
  };
}

/** The database with its tables up to date. */
async function openDatabase(options: StoreOptions, kind: Store['kind'], turns: Turns): Promise<Database> {
  const db = withDialect(await dialectFor(options, turns, true));
  try {
    await migrate(db, kind);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  if (kind === 'sqlite') return db;
  await db.destroy();
  return withDialect(await dialectFor(options, turns, false));
}

function withDialect(dialect: Dialect): Database {
  return new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })] });
}

/** PostgreSQL's driver is loaded only where it is used: it takes some megabytes. */
async function dialectFor(options: StoreOptions, turns: Turns, patient: boolean): Promise<Dialect> {
  const { databaseUrl, dataDir, onError } = options;
  if (!databaseUrl) return sqliteDialect(dataDir, turns);
  const { postgresDialect } = await import('./postgres.ts');
  return postgresDialect({ url: databaseUrl, patient, onError: onError ?? (() => undefined) });
}

function sqliteDialect(dataDir: string, turns: Turns): NodeSqliteDialect {
  makeDataFolder(dataDir);
  return new NodeSqliteDialect(sqlitePath(dataDir), turns);
}

async function checkpoint(db: Database): Promise<number> {
  type Frames = { log: number; checkpointed: number };
  const { rows } = await sql<Frames>`pragma wal_checkpoint(restart)`.execute(db);
  const { log, checkpointed } = rows[0] ?? { log: 0, checkpointed: 0 };
  return Math.max(0, log - checkpointed) * PAGE_BYTES;
}

async function reusable(db: Database): Promise<number> {
  const { rows } = await sql<{ freelistCount: number }>`pragma freelist_count`.execute(db);
  return (rows[0]?.freelistCount ?? 0) * PAGE_BYTES;
}

function sqlitePath(dataDir: string): string {
  return join(dataDir, 'teahouse.db');
}

function logPath(dataDir: string): string {
  return `${sqlitePath(dataDir)}-wal`;
}

/**
 * To be called before SQLite's database is opened, by whoever holds the data folder alone. Throws DamagedLogError where a
 * part of it would be dropped in silence, and DataFolderError where it held accounts and is gone.
 */
export function requireSoundDatabase(dataDir: string): void {
  requireDatabase(dataDir);
  requireSoundLog(sqlitePath(dataDir));
}

/** Null if there is no such file. */
async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
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
