import { setTimeout as delay } from 'node:timers/promises';
import { NO_ANSWER } from './store/explain-storage.ts';
import { storageFailure } from './store/storage-failure.ts';
import { openStore, type Store, type StoreOptions } from './store/store.ts';

/** Between two attempts. Milliseconds. */
const AGAIN_MS = 3000;

export interface Waiting {
  /** Ends the wait, which then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Says a sentence to whoever starts the server. */
  readonly say: (sentence: string) => void;
}

/**
 * Opens the database, as soon as PostgreSQL answers: after a crash of the machine it may come later than the server.
 * Rejects at once where waiting does not help, as with a wrong password.
 */
export async function openWhenThere(options: StoreOptions, { signal, say }: Waiting): Promise<Store> {
  for (let hasSaid = false; ; hasSaid = true) {
    try {
      const store = await unlessAborted(openStore(options), signal);
      if (hasSaid) say('PostgreSQL answers now.');
      return store;
    } catch (error) {
      const mayCome = options.databaseUrl !== undefined && storageFailure(error) === 'unreachable';
      if (signal.aborted || !mayCome) throw error;
      if (!hasSaid) say(`${NO_ANSWER} It is tried again every few seconds until it does.`);
    }
    await delay(AGAIN_MS, undefined, { signal });
  }
}

/** An attempt on a machine that is cut off takes its time. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
