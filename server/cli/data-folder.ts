import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAddress } from '../address-file.ts';
import { readConfig, type Config } from '../config.ts';
import { isDataFolderClaimed } from '../store/data-claim.ts';
import { explainStorage } from '../store/explain-storage.ts';
import { openStore, requireSoundDatabase, type Store } from '../store/store.ts';
import { UsageError, type Terminal } from './command.ts';

/** Opens the store of a data folder, runs `work` and closes it. Throws UsageError if there is no server's data, or its storage fails. */
export async function withStore<T>(
  data: string | undefined,
  env: Terminal['env'],
  work: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const config = readConfig(data === undefined ? [] : ['--data', data], env);
  requireData(config);
  try {
    // A server that runs has looked, and writes to what would be read here.
    if (config.databaseUrl === undefined && isDataFolderClaimed(config.dataDir) !== true)
      requireSoundDatabase(config.dataDir);
    const store = await openStore({ dataDir: config.dataDir, databaseUrl: config.databaseUrl });
    try {
      return await work(store, config);
    } finally {
      await store.close();
    }
  } catch (error) {
    const words = explainStorage(error, config);
    throw words === null ? error : new UsageError(words);
  }
}

/** The address that links begin with. Throws UsageError if no server runs and none is configured. */
export async function requireOrigin(config: Config): Promise<string> {
  const origin = (await readAddress(config.dataDir))?.origin ?? config.origin;
  if (origin !== undefined) return origin;
  throw new UsageError(
    `No server is running on the data folder ${config.dataDir}. Start it, or name another folder with --data, or set TEAHOUSE_ORIGIN to the address that the links shall have.`,
  );
}

/** So that a mistyped folder is told, instead of a new and empty one made. */
function requireData(config: Config): void {
  if (config.databaseUrl !== undefined || existsSync(join(config.dataDir, 'teahouse.db'))) return;
  throw new UsageError(
    `There is no server’s data in ${config.dataDir}. Name the folder with --data (or TEAHOUSE_DATA), as the server does.`,
  );
}
