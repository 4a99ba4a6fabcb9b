import { openRecord, sealRecord } from '../../crypto/at-rest.ts';
import type { Bytes } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/crypto-error.ts';

/**
 * Seals rows for the tables of one database. What `open` returns was written by `seal` for that very row, which the
 * cipher proves, so its type is taken as told.
 */
export class Sealer {
  readonly #key: CryptoKey;
  readonly #database: string;

  constructor(key: CryptoKey, database: string) {
    this.#key = key;
    this.#database = database;
  }

  seal(table: string, key: string | number, value: unknown): Promise<Bytes> {
    return sealRecord(this.#key, this.#place(table, key), value);
  }

  async open<T>(table: string, key: string | number, sealed: Bytes): Promise<T> {
    return (await openRecord(this.#key, this.#place(table, key), sealed)) as T;
  }

  /** As `open`; null if the row is damaged: it does not authenticate, or is no JSON. */
  async openIntact<T>(table: string, key: string | number, sealed: Bytes): Promise<T | null> {
    try {
      return await this.open<T>(table, key, sealed);
    } catch (error) {
      if (CryptoError.is(error) || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  #place(table: string, key: string | number) {
    return { table: `${this.#database}/${table}`, key: String(key) };
  }
}
