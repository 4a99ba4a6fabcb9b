import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely';
import { setBounded } from '../bounded-map.ts';

/** Prepared statements kept per database; the server's own queries are fewer than this. */
const MAX_STATEMENTS = 256;

/** Kysely's dialect for the SQLite that Node carries. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(path: string) {
    const database = openDatabase(path);
    super({ database });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver({ database: this.#database });
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
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** SQLite's schema changes are transactional, so two processes that migrate at once wait for one another. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function openDatabase(path: string): SqliteDatabase {
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  // FULL: what was committed survives a loss of power (https://sqlite.org/pragma.html#pragma_synchronous).
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory;');
  // In KiB. Idempotency ids are random, so their rows lie all over their table: with the default of 2 MB each insert
  // read a page anew.
  database.exec('pragma cache_size = -32768;');
  // In pages: a checkpoint every 64 MB of log instead of every 4, since most pages change again in between.
  database.exec('pragma wal_autocheckpoint = 16000;');
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
