import { OfflineError } from './connection.ts';
import type { Connection, ConnectionState } from './connection.ts';

export function isLive(state: ConnectionState): boolean {
  return state.kind === 'online' || state.kind === 'resynchronising';
}

/**
 * True once the server knows this connection as a device on its account's list, of somebody who takes part: a guest may
 * ask for none of what the others keep up to date, and would only be refused.
 */
export function isLinked({ welcome }: Connection): boolean {
  return welcome !== null && welcome.deviceId !== null && welcome.account?.role !== 'guest';
}

/** Resolves once requests can be made; rejects with OfflineError after `ms` milliseconds, or at once if they never can. */
export async function whenLive(connection: Connection, ms: number): Promise<void> {
  if (isLive(connection.state)) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new OfflineError('no connection to the server'))), ms);
    const stop = { undo: () => undefined as unknown };
    const settle = (act: () => void) => {
      clearTimeout(timer);
      stop.undo();
      act();
    };
    stop.undo = connection.onState((state) => {
      if (isLive(state)) settle(resolve);
      else if (state.kind === 'unsupported')
        settle(() => reject(new OfflineError('this build is too old for the server')));
    });
  });
}
