import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type SqliteDatabase,
  type SqliteDialectConfig,
  type SqliteStatement,
} from 'kysely';
import { setBounded } from '../bounded-map.ts';
import { LIMITS } from './limits.ts';

/** Prepared statements kept per database; the server's own queries are fewer than this. */
const MAX_STATEMENTS = 256;

/** Kysely's dialect for the SQLite that Node carries. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;
  readonly #raw: DatabaseSync;

  /** Throws node:sqlite's error if there is no space, no permission, or no database in the file. */
  constructor(path: string) {
    const raw = openDatabase(path);
    const database = withStatements(raw);
    super({ database });
    this.#raw = raw;
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver({ database: this.#database }, this.#raw);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

/**
 * Takes the write lock when a transaction begins. A deferred one that reads first and writes later fails with SQLITE_BUSY
 * if another process (the command line) wrote in between, and no busy timeout helps it.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #raw: DatabaseSync;

  constructor(config: SqliteDialectConfig, raw: DatabaseSync) {
    super(config);
    this.#raw = raw;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /**
   * A full disk or an I/O error may have ended the transaction already (https://sqlite.org/lang_transaction.html, section
   * 3); a second rollback would fail, and its error would hide the first.
   */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#raw.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** SQLite's schema changes are transactional, so two processes that migrate at once wait for one another. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  try {
    configure(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

function configure(database: DatabaseSync): void {
  // FULL: what was committed survives a loss of power (https://sqlite.org/pragma.html#pragma_synchronous).
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory;');
  // In KiB. Idempotency ids are random, so their rows lie all over their table: with the default of 2 MB each insert
  // read a page anew.
  database.exec('pragma cache_size = -32768;');
  // In pages: a checkpoint every 64 MB of log instead of every 4, since most pages change again in between.
  database.exec('pragma wal_autocheckpoint = 16000;');
  database.exec(`pragma journal_size_limit = ${LIMITS.walBytes.value};`);
}

/** Keeps the prepared statements. */
function withStatements(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare(sql) {
      const known = statements.get(sql);
      if (known) return known;
      const statement = adapt(database.prepare(sql));
      setBounded(statements, sql, statement, MAX_STATEMENTS);
      return statement;
    },
    close() {
      statements.clear();
      database.close();
    },
  };
}

/** Gives node:sqlite's statement the shape that Kysely expects. */
function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}
