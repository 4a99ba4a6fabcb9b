import { PostgresDialect } from 'kysely';
import pg from 'pg';

/** Sums and positions stay below 2^53, so PostgreSQL's int8 is read as a number as SQLite's integers are. */
const INT8 = 20;

/** Kysely's dialect for PostgreSQL. `url` is a connection URL as in libpq. */
export function postgresDialect(url: string, onError: (error: Error) => void): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 10_000,
    application_name: 'teahouse',
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
  });
  // An idle connection that the database drops is replaced by the pool; without a listener it would end the process.
  pool.on('error', onError);
  return new PostgresDialect({ pool });
}
