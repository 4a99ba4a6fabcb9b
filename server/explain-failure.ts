import { ConfigError, type Config } from './config.ts';
import { MediaError } from './context.ts';
import { storageFailure, type StorageFailure } from './store/storage-failure.ts';

/** Why the server did not start, and what to do, in sentences for the person who starts it; a stack trace for a bug. */
export function explainFailure(error: unknown, config?: Pick<Config, 'dataDir' | 'databaseUrl'>): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof MediaError) {
    const cause = error.cause instanceof Error ? ` ${error.cause.message}` : '';
    return `${error.message}${cause}\nChoose another --media-port if it is taken, run "npm run setup" if the worker is missing, or set\nTEAHOUSE_MEDIA_WORKERS=0 to run without calls.`;
  }
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'The port is taken. Stop what uses it, or choose another with --port.';
  if (code === 'EACCES' && syscall === 'listen')
    return `Not allowed: ${message}. Choose another --port or another user.`;
  const failure = storageFailure(error);
  if (failure !== null) return explainStorage(failure, error as Error, config);
  return error instanceof Error ? (error.stack ?? message) : String(error);
}

function explainStorage(
  failure: StorageFailure,
  error: Error,
  config: Pick<Config, 'dataDir' | 'databaseUrl'> | undefined,
): string {
  const folder = config === undefined ? 'the data folder' : `the data folder ${config.dataDir}`;
  if (config?.databaseUrl !== undefined && !isOfFiles(error)) return explainPostgres(failure);
  switch (failure) {
    case 'full':
      return `There is no space left for ${folder}. Nothing is lost: free some space and start the server again.`;
    case 'read-only':
      return `The server may not write in ${folder}. Check that its file system is mounted for writing and that the user who runs the server owns it, or choose another with --data.`;
    case 'damaged':
      return `The database teahouse.db in ${folder} is damaged. Keep a copy of the folder, restore the last backup of it, and start the server again.`;
    case 'unreachable':
      return `The database in ${folder} did not answer (${codeOf(error)}). Another process may hold it, or the disk has a fault: look at the system’s log, then start the server again.`;
  }
}

function explainPostgres(failure: StorageFailure): string {
  switch (failure) {
    case 'full':
      return 'PostgreSQL has no space left. Nothing is lost: free some space there and start the server again.';
    case 'read-only':
      return 'PostgreSQL does not let the server write. DATABASE_URL must name the primary server, and a user who owns the database.';
    case 'damaged':
      return 'PostgreSQL says that its data is damaged. Keep a copy, restore the last backup, and start the server again.';
    case 'unreachable':
      return 'PostgreSQL does not answer. Check that it runs and that DATABASE_URL names its host and port, then start the server again.';
  }
}

/** Whether the error is of the data folder's files, which there are with PostgreSQL too. */
function isOfFiles(error: Error): boolean {
  return (error as NodeJS.ErrnoException).path !== undefined;
}

function codeOf(error: Error): string {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return String(errcode ?? code ?? error.name);
}
