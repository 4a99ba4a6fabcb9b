import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataFolderError, makeDataFolder } from './data-folder.ts';

/**
 * Always empty. It stays when a server ends: the claim is a lock on the file, not its being there, and to remove it while
 * a server runs would let a second one in.
 */
const FILE = 'server.lock';

/** How long a command that looks, or a server that is just ending, is waited for. Milliseconds. */
const PATIENCE_MS = 2000;

/** Primary result codes (https://sqlite.org/rescode.html). */
const [BUSY, IO_ERROR, NOT_A_DATABASE] = [5, 10, 26];

/** Another process holds the data folder. */
export class DataFolderHeldError extends Error {
  override readonly name = 'DataFolderHeldError';
}

/** Held until released, or until the process ends in whatever way. Whoever claims must keep it: an open file that nothing refers to is closed. */
export interface DataClaim {
  release(): void;
}

/**
 * Claims a data folder for this process; made if missing. The claim is SQLite's exclusive lock on a file, which the system
 * takes back when its holder dies, so neither a kill nor a process id that is used again leaves the folder locked; the
 * same on Linux, macOS and Windows, and between containers and machines that share the folder.
 * Throws DataFolderHeldError, DataFolderError, and errors of storage (no space, no permission) as they come.
 */
export function claimDataFolder(dataDir: string): DataClaim {
  makeDataFolder(dataDir);
  const path = join(dataDir, FILE);
  const file = new DatabaseSync(path, { timeout: PATIENCE_MS });
  try {
    // The change is never committed. Without one SQLite would begin to read where it may not write, and lock nothing.
    file.exec('pragma journal_mode = memory; begin exclusive; pragma user_version = 1;');
  } catch (error) {
    file.close();
    throw explained(error, path);
  }
  return { release: () => file.close() };
}

/** Whether a process holds the data folder now; null where none ever has, as with a server of an older version. */
export function isDataFolderClaimed(dataDir: string): boolean | null {
  const path = join(dataDir, FILE);
  if (!existsSync(path)) return null;
  const file = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    file.exec('select 1 from sqlite_schema');
    return false;
  } catch (error) {
    if (codeOf(error) === BUSY) return true;
    throw explained(error, path);
  } finally {
    file.close();
  }
}

function explained(error: unknown, path: string): unknown {
  switch (codeOf(error)) {
    case BUSY:
      return new DataFolderHeldError(`Another process holds ${path}.`, { cause: error });
    case IO_ERROR:
      return new DataFolderError(
        `The file ${path} cannot be locked. The data folder must be on a file system with locks, best on a disk of this machine. Choose another with --data.`,
        { cause: error },
      );
    case NOT_A_DATABASE:
      return new DataFolderError(
        `The file ${path} is not the server’s. Remove it while no server runs, and start again.`,
        {
          cause: error,
        },
      );
    default:
      return error;
  }
}

function codeOf(error: unknown): number | null {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : null;
}
