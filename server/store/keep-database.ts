import { markAccounts } from './accounts-marker.ts';
import type { Log } from '../log.ts';
import { LIMITS } from './limits.ts';
import { storageFailure } from './storage-failure.ts';
import type { Store } from './store.ts';

export interface KeepDeps {
  readonly store: Store;
  readonly dataDir: string;
  readonly log: Log;
}

/**
 * Keeps what SQLite holds in its main file: merges the log of changes at the start, once nothing was written between two
 * looks, and at least each minute; SQLite merges it itself when it is closed. Marks the data folder once somebody has an
 * account. Nothing to do on PostgreSQL. Resolves with the stop. Rejects with DataFolderError where the accounts are gone,
 * and with SQLite's error where the database is damaged.
 */
export async function keepDatabase(deps: KeepDeps): Promise<() => Promise<void>> {
  if (deps.store.kind !== 'sqlite') return async () => undefined;
  const keeper = new Keeper(deps);
  await keeper.start();
  const timer = setInterval(() => keeper.look(), LIMITS.mergeLookMs.value).unref();
  return async () => {
    clearInterval(timer);
    await keeper.idle();
  };
}

class Keeper {
  readonly #deps: KeepDeps;
  #marked = false;
  #failed = false;
  /** The log as it was at the last look, and as it was merged. */
  #seen = -1;
  #merged = -1;
  #mergedAt = performance.now();
  #running = Promise.resolve();

  constructor(deps: KeepDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { store, dataDir } = this.#deps;
    this.#marked = await markAccounts(store.db, dataDir);
    try {
      await store.checkpoint();
    } catch (error) {
      if (storageFailure(error) === 'damaged') throw error;
      this.#note(error);
    }
  }

  look(): void {
    this.#running = this.#running.then(() => this.#look()).catch((error: unknown) => this.#note(error));
  }

  idle(): Promise<void> {
    return this.#running;
  }

  async #look(): Promise<void> {
    const { store, dataDir } = this.#deps;
    if (!this.#marked) this.#marked = await markAccounts(store.db, dataDir);
    const changedAt = await store.logChangedAt();
    const quiet = changedAt === this.#seen;
    this.#seen = changedAt;
    if (changedAt === this.#merged) return;
    if (!quiet && performance.now() - this.#mergedAt < LIMITS.mergeEveryMs.value) return;
    this.#mergedAt = performance.now();
    await store.mergeLog();
    this.#merged = changedAt;
    this.#failed = false;
  }

  /** What it means for requests is the business of StorageHealth; here it is said once that the log stays. */
  #note(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#deps.log.warn({ err: error }, 'the log of changes could not be merged; it is tried again');
  }
}
