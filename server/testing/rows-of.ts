import { sql } from 'kysely';
import type { Database } from '../store/schema.ts';

/** Names of requests, which clients choose: an attacker's may be anybody's id. */
const CHOSEN: readonly string[] = ['id', 'message_id', 'request_id'];

/**
 * Everything that the database keeps of an account: each row of each table in which any column is its id, as JSON text by
 * table, in an order of its own. Tables and columns are those of the database, so that a new one is among them.
 */
export async function rowsOf(db: Database, userId: string): Promise<Record<string, string[]>> {
  const tables = await db.introspection.getTables();
  const found: Record<string, string[]> = {};
  for (const { name: table, columns } of tables) {
    const names = columns.map(({ name }) => name).filter((name) => !CHOSEN.includes(name));
    const holds = sql.join(
      names.map((name) => sql`${sql.ref(name)} = ${userId}`),
      sql` or `,
    );
    const { rows } = await sql<object>`select * from ${sql.table(table)} where ${holds}`.execute(db);
    if (rows.length > 0) found[table] = rows.map((row) => JSON.stringify(row)).toSorted();
  }
  return found;
}
