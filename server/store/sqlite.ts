import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type QueryResult,
  type SqliteDatabase,
  type SqliteDialectConfig,
  type SqliteStatement,
} from 'kysely';
import { setBounded } from '../bounded-map.ts';
import { LIMITS } from './limits.ts';
import { Turns } from './turns.ts';

/** Prepared statements kept per database; the server's own queries are fewer than this. */
const MAX_STATEMENTS = 256;

/** Kysely's dialect for the SQLite that Node carries. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;
  readonly #raw: DatabaseSync;
  readonly #turns: Turns;

  /** Throws node:sqlite's error if there is no space, no permission, or no database in the file. */
  constructor(path: string, turns = new Turns()) {
    const raw = openDatabase(path);
    const database = withStatements(raw);
    super({ database });
    this.#raw = raw;
    this.#database = database;
    this.#turns = turns;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver({ database: this.#database }, this.#raw, this.#turns);
  }

  override createAdapter(): SqliteAdapter {
    return new Adapter();
  }
}

/**
 * Takes the write lock when a transaction begins. A deferred one that reads first and writes later fails with SQLITE_BUSY
 * if another process (the command line) wrote in between, and no busy timeout helps it.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #raw: DatabaseSync;
  readonly #turns: Turns;
  #connection: SharedConnection | null = null;

  constructor(config: SqliteDialectConfig, raw: DatabaseSync, turns: Turns) {
    super(config);
    this.#raw = raw;
    this.#turns = turns;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.acquire();
    return (this.#connection ??= new SharedConnection(await super.acquireConnection(), this.#turns));
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.release();
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

/** The one connection, whose statements take turns with everything else on the event loop. */
class SharedConnection implements DatabaseConnection {
  readonly #inner: DatabaseConnection;
  readonly #turns: Turns;

  constructor(inner: DatabaseConnection, turns: Turns) {
    this.#inner = inner;
    this.#turns = turns;
  }

  /** Kysely's own has run the statement when it returns its promise. */
  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#turns.statement(() => this.#inner.executeQuery<R>(query));
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.#inner.streamQuery<R>(query, chunkSize);
  }
}

class Adapter extends SqliteAdapter {
  /** SQLite's schema changes are transactional, so two processes that migrate at once wait for one another. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** There is one, and `Turns` says whose it is; Kysely's own lock is first come, first served. */
  override get supportsMultipleConnections(): boolean {
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
