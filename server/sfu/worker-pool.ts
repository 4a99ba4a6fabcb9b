import { ProtocolError } from '../../protocol/errors.ts';
import type { ListenOptions } from './listen-infos.ts';
import type { Log } from './log.ts';
import { LIMITS } from './limits.ts';
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

/** Keeps the configured number of workers running and places rooms on the least loaded. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #watchdog: Watchdog;
  /** By index; undefined while a dead one is being replaced. */
  readonly #workers: (MediaWorker | undefined)[] = [];
  /** By index: when it was last started, and the wait before its next start. Milliseconds. */
  readonly #starts: { readonly at: number; readonly waitMs: number }[] = [];
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
   * @throws ProtocolError `unavailable` if none is running after `LIMITS.workerWait`
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

  /** Resolves when a worker has started, after `LIMITS.workerWait`, or when the pool closes. */
  #started(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#later(LIMITS.workerWait.value, () => wake());
      const wake = () => {
        this.#cancel(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #start(index: number): Promise<void> {
    const { port, listenIp, announcedAddress, workerBin, logger } = this.#options;
    this.#starts[index] = { at: performance.now(), waitMs: this.#starts[index]?.waitMs ?? 0 };
    const worker = await MediaWorker.start({
      port: portOf(port, index),
      listenIp,
      announcedAddress,
      workerBin,
      logger,
      died: (dead) => this.#died(index, dead),
    });
    if (this.#closed) return worker.close();
    this.#workers[index] = worker;
    this.#wake();
    this.#options.logger.info({ worker: index, pid: worker.pid, port: portOf(port, index) }, 'media worker started');
  }

  #died(index: number, worker: MediaWorker): void {
    if (this.#closed) return;
    this.#options.logger.error({ worker: index, pid: worker.pid }, 'media worker died');
    this.#workers[index] = undefined;
    this.#replace(index);
  }

  /** At once for one that has served a while; one that dies young, or does not start, waits longer each time. */
  #replace(index: number): void {
    const { at, waitMs } = this.#starts[index] ?? { at: 0, waitMs: 0 };
    const { workerStable, workerRetryFirst, workerRetryLast } = LIMITS;
    const delayMs = performance.now() - at >= workerStable.value ? 0 : waitMs;
    const next = Math.min(workerRetryLast.value, Math.max(workerRetryFirst.value, delayMs * 2));
    this.#starts[index] = { at, waitMs: next };
    this.#later(delayMs, () => {
      this.#start(index).catch((error: unknown) => {
        this.#options.logger.error({ worker: index, err: error }, 'media worker could not be restarted');
        this.#replace(index);
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
    const stop = () => this.#cancel(silent);
    worker.ping().then(stop, stop);
  }

  #cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
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
