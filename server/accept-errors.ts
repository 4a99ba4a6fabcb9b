import type { Server } from 'node:net';

/** Such errors come as fast as connections do, so this often one is logged. Milliseconds. */
const COMPLAIN_EVERY_MS = 10_000;

/**
 * Logs errors of a server that listens already. A refused `accept` (no file descriptors left) concerns that connection
 * alone and the port goes on listening, but an error that nobody hears ends the process.
 */
export function logAcceptErrors(
  server: Pick<Server, 'on'>,
  log: { error(fields: object, message: string): void },
  message: string,
): void {
  let [unlogged, loggedAt] = [0, -Infinity];
  server.on('error', (error) => {
    unlogged += 1;
    if (performance.now() - loggedAt < COMPLAIN_EVERY_MS) return;
    log.error({ err: error, errors: unlogged }, message);
    [unlogged, loggedAt] = [0, performance.now()];
  });
}
