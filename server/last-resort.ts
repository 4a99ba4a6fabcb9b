import type { Log } from './log.ts';

/**
 * How the process ends after a fault that nothing caught (sysexits.h: EX_SOFTWARE). Whoever supervises the process starts
 * it again: `npm start` does, or a service manager that restarts on failure.
 */
export const FAULT_EXIT_CODE = 70;

/** How long what was asked may take to be answered after such a fault. Milliseconds. */
const GRACE_MS = 8000;

/**
 * The last line of defence. An error that nothing caught has left something half done, so the process must not go on:
 * it is logged, what was asked is answered, and the process ends with `FAULT_EXIT_CODE`.
 */
export function endOnFault(log: Log, close: () => Promise<void>): void {
  let ending = false;
  const end = () => process.exit(FAULT_EXIT_CODE);
  const fault = (error: unknown) => {
    log.fatal({ err: error }, 'a fault that nothing caught; the server ends');
    if (ending) return;
    ending = true;
    setTimeout(end, GRACE_MS).unref();
    void close()
      .catch((failure: unknown) => log.error({ err: failure }, 'the server did not end cleanly'))
      .finally(() => flush(log, end));
  };
  process.on('uncaughtException', fault);
  process.on('unhandledRejection', fault);
}

/** What was logged last is what one wants to read. */
function flush(log: Log, then: () => void): void {
  setTimeout(then, 500).unref();
  log.flush(then);
}
