import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolderError } from './data-folder.ts';
import type { Database } from './schema.ts';

/** There is such a file from the first account on, so that an empty database is not taken for a new one. */
const FILE = 'has-accounts';

const TEXT = `The database teahouse.db in this folder holds accounts. This file keeps the server from beginning anew,
with a link for a first administrator, where that database is gone or empty.
`;

/** Throws DataFolderError where the database of a data folder held accounts and is gone: to be asked before it is opened and made. */
export function requireDatabase(dataDir: string): void {
  if (!existsSync(join(dataDir, FILE))) return;
  const size = statSync(join(dataDir, 'teahouse.db'), { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) throw lost(dataDir, 'is gone or empty');
}

/** Makes the marker where there are accounts, and returns whether there are. Throws DataFolderError where there were and are none. */
export async function markAccounts(db: Database, dataDir: string): Promise<boolean> {
  const path = join(dataDir, FILE);
  const marked = existsSync(path);
  const someone = await db.selectFrom('accounts').select('userId').limit(1).executeTakeFirst();
  if (!someone && marked) throw lost(dataDir, 'holds no account any more');
  if (someone && !marked) writeFileSync(path, TEXT, { mode: 0o600 });
  return someone !== undefined;
}

function lost(dataDir: string, what: string): DataFolderError {
  return new DataFolderError(
    `The database teahouse.db in the data folder ${dataDir} ${what}, though people had accounts in it. Keep a copy of the folder, restore the last backup of it, run "npm run teahouse -- restored", and start again. If you mean to begin anew with nobody: move the folder away, or name another with --data.`,
  );
}
