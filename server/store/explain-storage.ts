import { DataFolderError, TOO_LONG } from './data-folder.ts';
import { storageFailure, type StorageFailure } from './storage-failure.ts';

/** SQLite opens no path of more than 512 bytes (MAX_PATHNAME in os_unix.c); the file's name needs some of them. */
const SQLITE_PATH_BYTES = 490;

export interface StoragePlace {
  readonly dataDir: string;
  /** PostgreSQL; SQLite in the data folder if undefined. */
  readonly databaseUrl?: string | undefined;
}

/**
 * Why the storage could not be opened, and what to do, in sentences for the person who starts a program; null if the error
 * is of another kind. Names the data folder, never the database's URL, which may hold a password.
 */
export function explainStorage(error: unknown, place: StoragePlace): string | null {
  if (error instanceof DataFolderError) return error.message;
  const refusal = place.databaseUrl === undefined ? null : explainRefusal(error);
  if (refusal !== null) return refusal;
  const failure = storageFailure(error);
  if (failure === null) return null;
  if (isUnopened(error) && Buffer.byteLength(place.dataDir) > SQLITE_PATH_BYTES) return TOO_LONG;
  const ofFiles = place.databaseUrl === undefined || (error as NodeJS.ErrnoException).path !== undefined;
  return ofFiles ? explainFolder(failure, error, `the data folder ${place.dataDir}`) : POSTGRES[failure];
}

function explainFolder(failure: StorageFailure, error: unknown, folder: string): string {
  switch (failure) {
    case 'full':
      return `There is no space left for ${folder}. Nothing is lost: free some space and start again.`;
    case 'read-only':
      return `It is not possible to write in ${folder}. Check that its file system is mounted for writing and that the user who runs the server owns it, or choose another with --data.`;
    case 'damaged':
      return `The database teahouse.db in ${folder} is damaged. Keep a copy of the folder, restore the last backup of it, run "npm run teahouse -- restored", and start again.`;
    case 'unreachable':
      return `The database in ${folder} did not answer (${codeOf(error)}). Another process may hold it, or the disk has a fault: look at the system’s log, then start again.`;
  }
}

/** Where waiting may help. */
export const NO_ANSWER =
  'PostgreSQL does not answer. Check that it runs and that DATABASE_URL names its host and port.';

/** Codes of PostgreSQL, where waiting does not help. A password that is missing is refused on this side, without a code. */
const REFUSED: Readonly<Record<string, string>> = {
  '28000': 'PostgreSQL refuses the user of DATABASE_URL. Correct it, or allow the user there, and start again.',
  '28P01': 'PostgreSQL refuses the password of DATABASE_URL. Correct it and start again.',
  '3D000': 'PostgreSQL has no database of the name in DATABASE_URL. Correct it or make that database, and start again.',
  '42501': 'The user of DATABASE_URL does not own the database. Make that user its owner and start again.',
};

function explainRefusal(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined) return REFUSED[code] ?? null;
  return message.startsWith('SASL:') ? (REFUSED['28P01'] ?? null) : null;
}

const POSTGRES: Readonly<Record<StorageFailure, string>> = {
  full: 'PostgreSQL has no space left. Nothing is lost: free some space there and start again.',
  'read-only':
    'PostgreSQL takes no changes. DATABASE_URL must name the primary server, and a user who owns the database.',
  damaged:
    'PostgreSQL says that its data is damaged. Keep a copy, restore the last backup, run "npm run teahouse -- restored", and start again.',
  unreachable: `${NO_ANSWER} Then start again.`,
};

/** SQLITE_CANTOPEN: SQLite does not say what it dislikes about a file. */
function isUnopened(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' && (errcode & 0xff) === 14;
}

function codeOf(error: unknown): string {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return String(errcode ?? code ?? 'no code');
}
