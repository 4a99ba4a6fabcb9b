import type { Table } from 'dexie';
import { ProfileDatabase } from '../db/profile-database.ts';
import type { RegistryDatabase, StorageOptions } from '../db/registry.ts';
import { Sealer } from './sealer.ts';

/** Rows that are sealed anew in one transaction. */
const CHUNK = 500;

/** Tables whose rows are sealed for another field than their primary key. */
const SEALED_FOR: Readonly<Record<string, string>> = { outbox: 'messageId' };

export interface KeyChange {
  readonly old: CryptoKey;
  readonly next: CryptoKey;
}

type SealedRow = Record<string, unknown> & { readonly sealed: Uint8Array<ArrayBuffer> };

/**
 * Seals every row of every account on this device under the next key. May be interrupted at any time and begun again:
 * rows that are sealed under the next key already are left as they are, and so are damaged ones, which no key opens.
 */
export async function resealEverything(
  registry: RegistryDatabase,
  storage: StorageOptions,
  keys: KeyChange,
): Promise<void> {
  for (const { id } of await registry.profiles.toArray()) {
    const db = new ProfileDatabase(id, storage);
    try {
      await db.open();
      for (const table of db.tables) await resealTable(table as Table<unknown, unknown>, id, keys);
    } finally {
      db.close();
    }
  }
  // Last: they say which databases there are.
  await resealTable(registry.profiles as unknown as Table<unknown, unknown>, 'registry', keys);
}

async function resealTable(table: Table<unknown, unknown>, database: string, keys: KeyChange): Promise<void> {
  const { keyPath } = table.schema.primKey;
  if (typeof keyPath !== 'string') return;
  const field = SEALED_FOR[table.name] ?? keyPath;
  const sealers = { old: new Sealer(keys.old, database), next: new Sealer(keys.next, database) };
  for (let last: unknown = null; ;) {
    const from = last === null ? table.orderBy(':id') : table.where(':id').above(last);
    const rows = (await from.limit(CHUNK).toArray()) as Record<string, unknown>[];
    if (rows.length === 0) return;
    last = rows.at(-1)?.[keyPath];
    const sealed = rows.filter((row): row is SealedRow => row['sealed'] instanceof Uint8Array);
    const anew = await Promise.all(sealed.map((row) => resealRow(row, table.name, row[field] as string, sealers)));
    const changed = anew.filter((row) => row !== null);
    if (changed.length > 0) await table.bulkPut(changed);
  }
}

/** Null for a row that stays as it is. */
async function resealRow(
  row: SealedRow,
  table: string,
  key: string | number,
  sealers: { readonly old: Sealer; readonly next: Sealer },
): Promise<SealedRow | null> {
  const value = await sealers.old.open<unknown>(table, key, row.sealed).then(
    (opened) => ({ opened }),
    () => null,
  );
  return value === null ? null : { ...row, sealed: await sealers.next.seal(table, key, value.opened) };
}
