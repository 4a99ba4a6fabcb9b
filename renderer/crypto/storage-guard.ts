import { backoffMs } from '../net/backoff.ts';
import { StorageFailedError } from './storage-failed.ts';

/** Shortest and longest wait before the storage is tried again. Each try touches a disk that is full. Milliseconds. */
const FIRST_MS = 2000;
const LONGEST_MS = 30_000;

/** How a database says that the disk does not serve. The names of DOMException, and Dexie's for its own state after it. */
const STORAGE_ERRORS: ReadonlySet<string> = new Set([
  'QuotaExceededError',
  'UnknownError',
  'AbortError',
  'DatabaseClosedError',
  'OpenFailedError',
  'InvalidStateError',
  'TimeoutError',
]);

/** Whether an error is one of the storage under the databases, and not of what was asked of them. */
export function isStorageError(error: unknown): boolean {
  return error instanceof Error && STORAGE_ERRORS.has(error.name);
}

export interface StorageGuardOptions {
  /** Makes the storage usable again, and proves it by writing; rejects if it does not serve yet. Never runs twice at once. */
  readonly recover: () => Promise<void>;
  /** Milliseconds before try number `attempt` (from 0). */
  readonly waitMs?: (attempt: number) => number;
}

/**
 * Stands between the operations and a storage that may fail, above all for lack of room. From the first failure on
 * nothing touches the disk but a try from time to time; operations are refused meanwhile, and what they were to take in
 * stays where it is.
 */
export class StorageGuard {
  readonly #recover: () => Promise<void>;
  readonly #waitMs: (attempt: number) => number;
  #failing = false;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: (() => void)[] = [];

  constructor({
    recover,
    waitMs = (attempt) => backoffMs(attempt, Math.random, FIRST_MS, LONGEST_MS),
  }: StorageGuardOptions) {
    this.#recover = recover;
    this.#waitMs = waitMs;
  }

  /**
   * Throws `StorageFailedError` if the storage fails, or has failed and not served since. `reading`: it writes nothing,
   * and is tried all the same.
   */
  async run<T>(operation: () => Promise<T>, reading = false): Promise<T> {
    if (this.#failing && !reading) throw new StorageFailedError();
    try {
      return await operation();
    } catch (error) {
      if (!isStorageError(error)) throw error;
      if (!this.#failing) this.#is(true);
      throw new StorageFailedError({ cause: error });
    }
  }

  /** Resolves with whether the storage fails, once that is not `known`. */
  async change(known: boolean): Promise<boolean> {
    while (this.#failing === known) await new Promise<void>((done) => this.#waiting.push(done));
    return this.#failing;
  }

  /** Ends the tries. What was opened anew since begins without a failure. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#attempt = 0;
    if (this.#failing) this.#is(false);
  }

  #is(failing: boolean): void {
    this.#failing = failing;
    for (const tell of this.#waiting.splice(0)) tell();
    if (failing) this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#try(), this.#waitMs(this.#attempt));
    this.#attempt += 1;
  }

  async #try(): Promise<void> {
    try {
      await this.#recover();
      this.reset();
    } catch {
      // It fails as before, which is known and shown; the next try follows.
      if (this.#failing) this.#schedule();
    }
  }
}
