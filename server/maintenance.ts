import { pruneInvitations } from './modules/accounts/index.ts';
import { emptyGoneQueues, expireMessages } from './modules/chat/index.ts';
import { pruneLinkRequests } from './modules/devices/index.ts';
import type { UserId } from '../protocol/ids.ts';
import type { Log } from './log.ts';
import type { AgeClock } from './store/age-clock.ts';
import { pruneLargeAnswers } from './store/large-answers.ts';
import { pruneAnswers } from './store/once.ts';
import type { Store } from './store/store.ts';

/** Once a day; what takes much room, each quarter of an hour. */
const EVERY_MS = 24 * 3_600_000;
const OFTEN_MS = 15 * 60_000;

export interface MaintenanceDeps {
  readonly store: Store;
  /** By which things are too old. */
  readonly ages: AgeClock;
  readonly log: Log;
  /** How long a message waits for a device. Milliseconds. */
  readonly keepMs: number;
  /** Told whose messages were not kept. */
  readonly onExpired: (users: ReadonlySet<UserId>) => void;
}

/** Deletes what has had its time, at the start and once a day. Returns the stop. */
export function startMaintenance(deps: MaintenanceDeps): () => Promise<void> {
  const ending = new AbortController();
  let running = Promise.resolve();
  const run = (steps: (deps: MaintenanceDeps, signal: AbortSignal) => Steps) => {
    running = running.then(() => prune(deps, steps(deps, ending.signal), ending.signal));
  };
  run(daily);
  const timers = [setInterval(() => run(daily), EVERY_MS).unref(), setInterval(() => run(often), OFTEN_MS).unref()];
  return async () => {
    for (const timer of timers) clearInterval(timer);
    ending.abort();
    await running;
    await deps.ages
      .keep()
      .catch((error: unknown) => deps.log.error({ err: error }, 'the time could not be kept for the next start'));
  };
}

type Steps = Readonly<Record<string, () => Promise<void>>>;

function daily({ store, ages, keepMs, onExpired }: MaintenanceDeps, signal: AbortSignal): Steps {
  const { now } = ages;
  return {
    clock: () => ages.keep(),
    goneQueues: () => emptyGoneQueues(store, signal),
    linkRequests: () => pruneLinkRequests(store.db, now()),
    invitations: () => pruneInvitations(store.db, now()),
    messages: () => expireMessages({ store, keepMs, now: now(), signal, onExpired }),
    largeAnswers: () => pruneLargeAnswers(store.db, now(), signal),
    answers: () => pruneAnswers(store.db, now(), signal),
  };
}

function often({ store, ages }: MaintenanceDeps, signal: AbortSignal): Steps {
  return { clock: () => ages.keep(), largeAnswers: () => pruneLargeAnswers(store.db, ages.now(), signal) };
}

/** One step that fails keeps no other from its work. Never rejects. */
async function prune({ log }: MaintenanceDeps, steps: Steps, signal: AbortSignal): Promise<void> {
  for (const [step, run] of Object.entries(steps)) {
    if (signal.aborted) return;
    try {
      await run();
    } catch (error) {
      log.error({ err: error, step }, 'deleting old rows failed; it is tried again later');
    }
  }
}
