import { pruneInvitations } from './modules/accounts/index.ts';
import { pruneLinkRequests } from './modules/devices/index.ts';
import type { Log } from './log.ts';
import { pruneAnswers } from './store/once.ts';
import type { Store } from './store/store.ts';

const EVERY_MS = 3_600_000;

/** Lets go of what has had its time, every hour. Returns the stop. */
export function startMaintenance(store: Store, now: () => number, log: Log): () => void {
  const timer = setInterval(() => {
    prune(store, now()).catch((error: unknown) => log.error({ err: error }, 'clearing out old rows failed'));
  }, EVERY_MS).unref();
  return () => clearInterval(timer);
}

export async function prune(store: Store, now: number): Promise<void> {
  await pruneAnswers(store.db, now);
  await pruneLinkRequests(store.db, now);
  await pruneInvitations(store.db, now);
}
