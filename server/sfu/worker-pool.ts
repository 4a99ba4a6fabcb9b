import { ProtocolError } from '../../protocol/errors.ts';
import type { ListenOptions } from './listen-infos.ts';
import type { Log } from './log.ts';
import { MediaWorker } from './media-worker.ts';

export interface WorkerPoolOptions extends ListenOptions {
  /** How many processes; the one at index i listens on `port + i` (any free port if `port` is 0). */
  readonly workers: number;
  readonly workerBin?: string | undefined;
  readonly logger: Log;
  readonly watchdog?: Watchdog | undefined;
}

export interface Watchdog {
  /** How often each worker is asked for a sign of life. Milliseconds. */
  readonly everyMs: number;
  /** How long the answer may take before the worker is replaced. Milliseconds. */
  readonly patienceMs: number;
}

const WATCHDOG: Watchdog = { everyMs: 5_000, patienceMs: 10_000 };
/** Wait before a new worker takes a dead one's place: at once, then doubling while it keeps failing. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;
/** A worker that died sooner than this after its start counts as failing. Milliseconds. */
const STABLE_MS = 5_000;
/** How long a new room waits for a worker. Milliseconds. */
const WAIT_MS = 5_000;

/** Keeps the configured number of workers running and places rooms on the least loaded. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #watchdog: Watchdog;
  /** By index; undefined while a dead one is being replaced. */
  readonly #workers: (MediaWorker | undefined)[] = [];
  /** By index: when the worker there started, and how many in a row died soon after their start. */
  readonly #startedAt: number[] = [];
  readonly #earlyDeaths: number[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** @throws Error if any worker cannot start */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all(Array.from({ length: options.workers }, (_, index) => pool.#start(index)));
    } catch (error) {
      pool.close();
      throw error;
    }
    pool.#watch();
    return pool;
  }

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#watchdog = options.watchdog ?? WATCHDOG;
  }

  get workers(): MediaWorker[] {
    return this.#workers.filter((worker) => worker !== undefined);
  }

  /**
   * The worker to place a room on. While the only one is being replaced this waits: whoever lost their room asks for
   * the next one at that very moment.
   * @throws ProtocolError `unavailable` if none is running after `WAIT_MS`
   */
  async leastLoaded(): Promise<MediaWorker> {
    if (this.workers.length === 0 && !this.#closed) await this.#started();
    const [first, ...others] = this.workers;
    if (first === undefined) throw new ProtocolError('unavailable', 'the media server is restarting');
    return others.reduce((best, worker) => (worker.load < best.load ? worker : best), first);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const worker of this.workers) worker.close();
    this.#workers.length = 0;
    this.#wake();
  }

  /** Resolves when a worker has started, after `WAIT_MS`, or when the pool closes. */
  #started(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#later(WAIT_MS, () => {
        this.#waiting.delete(resolve);
        resolve();
      });
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async #start(index: number): Promise<void> {
    const { port, listenIp, announcedAddress, workerBin } = this.#options;
    const worker = await MediaWorker.start({
      port: portOf(port, index),
      listenIp,
      announcedAddress,
      workerBin,
      died: (dead) => this.#died(index, dead),
    });
    if (this.#closed) return worker.close();
    this.#workers[index] = worker;
    this.#startedAt[index] = performance.now();
    this.#wake();
    this.#options.logger.info({ worker: index, pid: worker.pid, port: portOf(port, index) }, 'media worker started');
  }

  #died(index: number, worker: MediaWorker): void {
    if (this.#closed) return;
    this.#options.logger.error({ worker: index, pid: worker.pid }, 'media worker died');
    this.#workers[index] = undefined;
    const early = performance.now() - (this.#startedAt[index] ?? 0) < STABLE_MS;
    const deaths = early ? (this.#earlyDeaths[index] ?? 0) + 1 : 0;
    this.#earlyDeaths[index] = deaths;
    // The first is replaced at once; workers that cannot live are not started as fast as the machine can.
    this.#replace(index, deaths < 2 ? 0 : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (deaths - 2)));
  }

  #replace(index: number, delayMs: number): void {
    this.#later(delayMs, () => {
      this.#start(index).catch((error: unknown) => {
        this.#options.logger.error({ worker: index, err: error }, 'media worker could not be restarted');
        this.#replace(index, Math.min(LAST_RETRY_MS, Math.max(FIRST_RETRY_MS, delayMs * 2)));
      });
    });
  }

  /** A worker that hangs is as bad as one that died, but nothing says so by itself. */
  #watch(): void {
    this.#later(this.#watchdog.everyMs, () => {
      for (const worker of this.workers) this.#check(worker);
      this.#watch();
    });
  }

  #check(worker: MediaWorker): void {
    const silent = this.#later(this.#watchdog.patienceMs, () => {
      this.#options.logger.error({ pid: worker.pid }, 'media worker does not answer');
      process.kill(worker.pid, 'SIGKILL');
    });
    const stop = () => {
      clearTimeout(silent);
      this.#timers.delete(silent);
    };
    worker.ping().then(stop, stop);
  }

  #later(delayMs: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) run();
    }, delayMs);
    timer.unref();
    this.#timers.add(timer);
    return timer;
  }
}

/** 0 leaves the choice of a free port to each worker. */
function portOf(first: number, index: number): number {
  return first === 0 ? 0 : first + index;
}
