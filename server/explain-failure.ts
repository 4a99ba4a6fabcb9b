import { AlreadyRunningError } from './claim-folder.ts';
import { ConfigError, type Config } from './config.ts';
import { MediaError } from './context.ts';
import { explainStorage } from './store/explain-storage.ts';

/**
 * Why the server did not start, and what to do, in sentences for the person who starts it; a stack trace for a bug.
 * `config` is undefined where it could not be read.
 */
export function explainFailure(error: unknown, config: Config | undefined): string {
  if (error instanceof ConfigError || error instanceof AlreadyRunningError) return error.message;
  if (error instanceof MediaError) {
    const cause = error.cause instanceof Error ? ` ${error.cause.message}` : '';
    return `${error.message}${cause}\nChoose another --media-port if it is taken, run "npm run setup" if the worker is missing, or set\nTEAHOUSE_MEDIA_WORKERS=0 to run without calls.`;
  }
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'The port is taken. Stop what uses it, or choose another with --port.';
  if (code === 'EACCES' && syscall === 'listen')
    return `Not allowed: ${message}. Choose another --port or another user.`;
  const ofStorage = config === undefined ? null : explainStorage(error, config);
  if (ofStorage !== null) return ofStorage;
  return error instanceof Error ? (error.stack ?? message) : String(error);
}
