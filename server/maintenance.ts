import { pruneInvitations } from './modules/accounts/index.ts';
import { expireMessages } from './modules/chat/index.ts';
import { pruneLinkRequests } from './modules/devices/index.ts';
import type { Log } from './log.ts';
import { pruneAnswers } from './store/once.ts';
import type { Store } from './store/store.ts';

/** Once a day. */
const EVERY_MS = 24 * 3_600_000;

export interface MaintenanceDeps {
  readonly store: Store;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** How long a message waits for a device. Milliseconds. */
  readonly keepMs: number;
}

/** Deletes what has had its time, at the start and once a day. Returns the stop. */
export function startMaintenance(deps: MaintenanceDeps): () => Promise<void> {
  const ending = new AbortController();
  let running = Promise.resolve();
  const run = () => {
    running = running.then(() => prune(deps, ending.signal));
  };
  run();
  const timer = setInterval(run, EVERY_MS).unref();
  return async () => {
    clearInterval(timer);
    ending.abort();
    await running;
  };
}

/** One step that fails keeps no other from its work. Never rejects. */
async function prune({ store, now, log, keepMs }: MaintenanceDeps, signal: AbortSignal): Promise<void> {
  const steps: Readonly<Record<string, () => Promise<void>>> = {
    linkRequests: () => pruneLinkRequests(store.db, now()),
    invitations: () => pruneInvitations(store.db, now()),
    messages: () => expireMessages(store, keepMs, now(), signal),
    answers: () => pruneAnswers(store.db, now(), signal),
  };
  for (const [step, run] of Object.entries(steps)) {
    if (signal.aborted) return;
    try {
      await run();
    } catch (error) {
      log.error({ err: error, step }, 'deleting old rows failed; it is tried again tomorrow');
    }
  }
}
