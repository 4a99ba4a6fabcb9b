import { pruneInvitations } from './modules/accounts/index.ts';
import { pruneLinkRequests } from './modules/devices/index.ts';
import type { Log } from './log.ts';
import { pruneAnswers } from './store/once.ts';
import type { Store } from './store/store.ts';

/** Once a day. */
const EVERY_MS = 24 * 3_600_000;

/** Lets go of what has had its time, at the start and once a day. Returns the stop. */
export function startMaintenance(store: Store, now: () => number, log: Log): () => Promise<void> {
  const ending = new AbortController();
  let running = Promise.resolve();
  const run = () => {
    running = prune(store, now(), ending.signal).catch((error: unknown) =>
      log.error({ err: error }, 'clearing out old rows failed'),
    );
  };
  run();
  const timer = setInterval(run, EVERY_MS).unref();
  return async () => {
    clearInterval(timer);
    ending.abort();
    await running;
  };
}

async function prune(store: Store, now: number, signal: AbortSignal): Promise<void> {
  await pruneLinkRequests(store.db, now);
  await pruneInvitations(store.db, now);
  await pruneAnswers(store.db, now, signal);
}
