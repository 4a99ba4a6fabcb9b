import {
  PostgresDialect,
  PostgresDriver,
  type PostgresDialectConfig,
  type PostgresPool,
  type PostgresPoolClient,
} from 'kysely';
import pg from 'pg';
import { LIMITS } from './limits.ts';

/** Sums and positions stay below 2^53, so PostgreSQL's int8 is read as a number as SQLite's integers are. */
const INT8 = 20;

/** Parameters of the URL that bound a statement's time. */
const BOUNDS = ['query_timeout', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];

export interface PostgresOptions {
  /** A connection URL as in libpq. Its parameters `query_timeout` and `statement_timeout` replace the bounds of `LIMITS`. */
  readonly url: string;
  /** Whether statements may take as long as they need, as migrations may. */
  readonly patient?: boolean;
  readonly onError: (error: Error) => void;
}

/** Kysely's dialect for PostgreSQL. */
export function postgresDialect({ url, patient = false, onError }: PostgresOptions): PostgresDialect {
  const pool = new pg.Pool({
    ...(patient
      ? { connectionString: withoutBounds(url) }
      : { connectionString: url, query_timeout: LIMITS.postgresAnswerMs.value }),
    max: 10,
    connectionTimeoutMillis: LIMITS.postgresConnectMs.value,
    keepAlive: true,
    application_name: 'teahouse',
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
  });
  // An idle connection that the database drops is replaced by the pool; without a listener it would end the process.
  pool.on('error', onError);
  // The pool listens to idle connections only: one that is lost between two statements of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  return new Dialect({ pool: impatient(pool, patient ? [] : boundsBeside(url)) });
}

/**
 * PostgreSQL gives a statement up first, so that the connection can be used again; where it says nothing, this side does.
 * Not as parameters of the connection's start, which a pooler in between may refuse. What the URL sets stands.
 */
function boundsBeside(url: string): readonly string[] {
  const bounds = {
    statement_timeout: LIMITS.postgresStatementMs.value,
    idle_in_transaction_session_timeout: LIMITS.postgresIdleTransactionMs.value,
  };
  return Object.entries(bounds).flatMap(([name, ms]) => (url.includes(`${name}=`) ? [] : [`set ${name} = ${ms}`]));
}

function withoutBounds(url: string): string {
  if (!URL.canParse(url)) return url;
  const bare = new URL(url);
  for (const name of BOUNDS) bare.searchParams.delete(name);
  return bare.href;
}

/**
 * A pool that asks `first` on each new connection, and throws a connection away on which a statement got no answer: pg
 * would hand it out again, still waiting.
 */
function impatient(pool: pg.Pool, first: readonly string[]): PostgresPool {
  const known = new WeakSet<pg.PoolClient>();
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      const cut = cutWhenSilent(client);
      if (known.has(client)) return cut;
      try {
        for (const statement of first) await client.query(statement);
      } catch (error) {
        client.release(true);
        throw error;
      }
      known.add(client);
      return cut;
    },
    end: () => pool.end(),
  };
}

function cutWhenSilent(client: pg.PoolClient): PostgresPoolClient {
  let silence: unknown;
  const query = async (text: string, parameters: unknown[]) => {
    // The rollback, which would wait as long again. A connection that is closed is rolled back by PostgreSQL.
    if (silence !== undefined) throw silence;
    try {
      return await client.query(text, parameters);
    } catch (error) {
      if (error instanceof Error && error.message === 'Query read timeout') silence = error;
      throw error;
    }
  };
  return {
    // The other form takes a cursor, and none is configured.
    query: query as unknown as PostgresPoolClient['query'],
    release: (destroy = false) => client.release(destroy || silence !== undefined),
  };
}

class Dialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): PostgresDriver {
    return new Driver(this.#config);
  }
}

class Driver extends PostgresDriver {
  /** On a lost connection the rollback fails too; the connection is discarded, and the first error says more. */
  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}
