import { readLastAddress, removeLeftAddress } from './address-file.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { claimDataFolder, DataFolderHeldError, type DataClaim } from './store/data-claim.ts';

/** How the process ends where another runs already (sysexits.h: EX_CONFIG): a new start would end the same. */
export const ALREADY_RUNS_EXIT_CODE = 78;

/** Another server holds what this one needs for itself; the message says which and what to do. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Keeps a second server off the data folder. Rejects with AlreadyRunningError, with DataFolderError, or with an error of
 * storage. Null where PostgreSQL holds the data and the folder cannot be written: then there is nothing in it to keep.
 */
export async function claimFolder({ dataDir, databaseUrl }: Config, log: Log): Promise<DataClaim | null> {
  try {
    return await claimAlone(dataDir);
  } catch (error) {
    if (error instanceof DataFolderHeldError) throw await alreadyRunning(dataDir, error);
    if (databaseUrl === undefined) throw error;
    log.warn({ err: error }, 'the data folder cannot be claimed: a second server on it would not be noticed');
    return null;
  }
}

async function claimAlone(dataDir: string): Promise<DataClaim> {
  const claim = claimDataFolder(dataDir);
  try {
    await removeLeftAddress(dataDir);
    return claim;
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function alreadyRunning(dataDir: string, cause: DataFolderHeldError): Promise<AlreadyRunningError> {
  const address = await readLastAddress(dataDir);
  const words =
    address === null
      ? `Teahouse runs already on this data folder, ${dataDir}; it is starting or ending, or its file system has no locks. (${cause.message})`
      : `Teahouse runs already on this data folder, at ${address.origin}.`;
  return new AlreadyRunningError(`${words} Give a second server a folder and ports of its own: --data and --port.`, {
    cause,
  });
}
