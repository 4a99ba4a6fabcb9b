import { statfs } from 'node:fs/promises';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Log } from '../log.ts';
import { LIMITS } from './limits.ts';
import { storageFailure, type StorageFailure } from './storage-failure.ts';
import type { Store } from './store.ts';

/** Of the file system that holds a folder, in bytes. */
export type DiskSpace = (folder: string) => Promise<{ readonly free: number; readonly total: number }>;

export interface StorageHealthDeps {
  readonly store: Store;
  readonly dataDir: string;
  /** Bytes that sends leave free, as an administrator asked for; undefined: as `LIMITS` says, less on a small disk. */
  readonly minFree: number | undefined;
  readonly log: Log;
  readonly diskSpace?: DiskSpace;
  /** Milliseconds; monotonic. */
  readonly clock?: () => number;
}

const REFUSALS = {
  full: () => new ProtocolError('storage_full', 'The server has no space left.'),
  damaged: () => new ProtocolError('internal', 'The database is damaged; the server’s log says more.'),
  'read-only': () => new ProtocolError('unavailable', 'The database cannot be written.'),
  unreachable: () => new ProtocolError('unavailable', 'The database does not answer.'),
} as const satisfies Record<StorageFailure, () => ProtocolError>;

const LOG_WORDS: Readonly<Record<StorageFailure, string>> = {
  full: 'no space is left: messages are refused, reading and acknowledging go on. Free some space; the server then goes on by itself',
  damaged:
    'the database is damaged: nothing is written to it any more. Stop the server, keep a copy of the data folder, and restore the last backup',
  'read-only': 'the database cannot be written: check the data folder’s file system and its permissions',
  unreachable: 'the database does not answer; requests are refused until it does',
};

/**
 * Knows whether the storage can take more. Looks at the free space at intervals, so that what makes the data grow is
 * refused before the disk is full, while what frees space or only reads still finds room to work.
 */
export class StorageHealth {
  readonly #deps: StorageHealthDeps;
  readonly #clock: () => number;
  readonly #timer: NodeJS.Timeout;
  #free = Number.NaN;
  #tooLittle = false;
  /** Until then a write that failed for lack of space counts, whatever the file system says. */
  #fullUntil = Number.NEGATIVE_INFINITY;
  /** A write failed for lack of space, and none that grows has worked since: whether there is space is not known. */
  #unproven = false;
  #wasFull = false;
  #failure: Exclude<StorageFailure, 'full'> | null = null;
  #looking: Promise<void>;
  /** Requests that surely fit before the next look. */
  #requestsLeft = 0;

  constructor(deps: StorageHealthDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? (() => performance.now());
    this.#looking = this.#look();
    this.#timer = setInterval(() => (this.#looking = this.#look()), LIMITS.diskCheckEveryMs.value).unref();
  }

  /** Whether nothing may grow now. */
  get full(): boolean {
    return this.#tooLittle || this.#clock() < this.#fullUntil;
  }

  /** Damage does not pass: only a restart after a repair ends it. */
  get damaged(): boolean {
    return this.#failure === 'damaged';
  }

  /** Bytes free where the data folder is; NaN before the first look or if the file system does not say. */
  get free(): number {
    return this.#free;
  }

  /** Throws `storage_full`, or `internal` if the database is damaged. To be called before anything that makes the data grow. */
  requireSpace(): void {
    if (this.full) throw REFUSALS.full();
    this.requireSound();
    // On a small disk the interval may be too long.
    if (--this.#requestsLeft === 0) this.#looking = this.#look();
  }

  /** Throws `internal` if the database is damaged, so that no write makes it worse. */
  requireSound(): void {
    if (this.damaged) throw REFUSALS.damaged();
  }

  /** Notes a failure and returns what to answer; an error that is not the storage's is returned as it is. */
  note(error: unknown): unknown {
    const failure = storageFailure(error);
    if (failure === null) return error;
    if (failure === 'full') this.#noteFull();
    else this.#noteFailure(failure, error);
    return REFUSALS[failure]();
  }

  /** Something that makes the data grow has worked. */
  noteGrowth(): void {
    if (!this.#unproven || this.full) return;
    this.#unproven = false;
    this.#tellFull();
  }

  /** Looks at the free space now. */
  async check(): Promise<void> {
    await (this.#looking = this.#look());
  }

  /** The check for readiness: whether the database answers and is sound. */
  async ready(): Promise<boolean> {
    await this.#deps.store.ping();
    if (this.damaged) return false;
    this.#recovered();
    return true;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    // PostgreSQL has a disk of its own, and says when that is full.
    if (this.#deps.store.kind === 'sqlite') await this.#lookAtDisk();
    this.#tellFull();
    if (this.#failure !== null && !this.damaged) await this.ready().catch(() => undefined);
  }

  async #lookAtDisk(): Promise<void> {
    try {
      let { free, spare } = await this.#measure(await this.#deps.store.logBytes());
      if (spare < 0) {
        // Before anything else can be written the log must fit into the database: done now, it needs no room later.
        ({ free, spare } = await this.#measure(await this.#merge()));
        if (spare < 0) spare = await this.#withinFiles(free);
      }
      this.#free = free;
      this.#tooLittle = spare < 0;
      this.#requestsLeft = Math.max(1, Math.floor(spare / LIMITS.growthPerRequestBytes.value));
    } catch {
      // A file system that does not say how full it is: then a write that fails says so.
      this.#free = Number.NaN;
      this.#tooLittle = false;
    }
  }

  /** `spare`: what may still be written, less `needed` bytes for the log. */
  async #measure(needed: number): Promise<{ free: number; spare: number }> {
    const { free, total } = await (this.#deps.diskSpace ?? diskSpace)(this.#deps.dataDir);
    const least = this.#deps.minFree ?? Math.min(LIMITS.minFreeBytes.value, total * LIMITS.minFreeShare.value);
    // A tenth more to go on again, so that a disk at the edge does not change its mind all the time.
    return { free, spare: free - needed - (this.#tooLittle ? least * 1.1 : least) };
  }

  /**
   * What may be written though the disk has no more to give: SQLite’s files never shrink, so what was fetched has left
   * room inside them. The log may take half of what is left, since it is begun anew once it is merged.
   */
  async #withinFiles(free: number): Promise<number> {
    const { store } = this.#deps;
    const room = Math.min((await store.logBytes()) + free / 2, await store.reusableBytes());
    const margin = LIMITS.reuseMarginBytes.value;
    return room - (this.#tooLittle ? 2 * margin : margin);
  }

  /**
   * Merges the log while there is still space. Afterwards acknowledgements change pages that the database has, and are
   * logged in the space that the log has, so they go on even if something else takes the rest of the disk.
   */
  async #merge(): Promise<number> {
    try {
      return await this.#deps.store.checkpoint();
    } catch (error) {
      if (storageFailure(error) !== 'full') this.note(error);
      return await this.#deps.store.logBytes();
    }
  }

  #noteFull(): void {
    this.#unproven = true;
    this.#fullUntil = this.#clock() + LIMITS.diskCheckEveryMs.value;
    this.#tellFull();
  }

  #tellFull(): void {
    if (this.full === this.#wasFull || (!this.full && this.#unproven)) return;
    this.#wasFull = this.full;
    if (this.full) this.#deps.log.error({ free: this.#free }, LOG_WORDS.full);
    else this.#deps.log.info({ free: this.#free }, 'there is space again: messages are taken');
  }

  #noteFailure(failure: Exclude<StorageFailure, 'full'>, error: unknown): void {
    if (this.damaged || this.#failure === failure) return;
    this.#failure = failure;
    this.#deps.log.error({ err: error }, LOG_WORDS[failure]);
  }

  #recovered(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    this.#deps.log.info('the database answers again');
  }
}

export async function diskSpace(folder: string): Promise<{ free: number; total: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, total: blocks * bsize };
}
