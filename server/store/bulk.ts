import { CompiledQuery } from 'kysely';
import type { Trx } from './schema.ts';
import type { Store } from './store.ts';

/**
 * Rows go in by blocks of these sizes, so that a handful of prepared statements serves any number of rows. The largest
 * keeps below SQLite's 32,766 parameters for a statement.
 */
const BLOCKS = [256, 64, 16, 4, 1] as const;

/**
 * Inserts many rows with few statements, and without building a query for each: this is the path of every message.
 * `columns` are names as in the database; `suffix` is SQL after the values.
 */
export class BulkInsert {
  readonly #kind: Store['kind'];
  readonly #head: string;
  readonly #width: number;
  readonly #suffix: string;
  readonly #statements = new Map<number, string>();

  constructor(kind: Store['kind'], table: string, columns: readonly string[], suffix = '') {
    this.#kind = kind;
    this.#head = `insert into ${table} (${columns.join(', ')}) values `;
    this.#width = columns.length;
    this.#suffix = suffix;
  }

  /** `values` are the rows one after the other, flat. Returns how many rows went in. */
  async run(trx: Trx, values: readonly unknown[]): Promise<number> {
    let inserted = 0;
    let left = values.length / this.#width;
    let at = 0;
    for (const block of BLOCKS) {
      while (left >= block) {
        const next = at + block * this.#width;
        const query = CompiledQuery.raw(this.#statement(block), values.slice(at, next));
        const { numAffectedRows = 0n } = await trx.executeQuery(query);
        inserted += Number(numAffectedRows);
        at = next;
        left -= block;
      }
    }
    return inserted;
  }

  #statement(rows: number): string {
    const known = this.#statements.get(rows);
    if (known) return known;
    let parameter = 0;
    const placeholder = () => (this.#kind === 'postgres' ? `$${++parameter}` : '?');
    const row = () => `(${Array.from({ length: this.#width }, placeholder).join(', ')})`;
    const statement = `${this.#head}${Array.from({ length: rows }, row).join(', ')} ${this.#suffix}`;
    this.#statements.set(rows, statement);
    return statement;
  }
}
