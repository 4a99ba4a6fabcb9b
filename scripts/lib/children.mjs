import { spawn } from 'node:child_process';
import process from 'node:process';

const GRACE = 10_000;
/** npm passes a signal on that the terminal has already sent to everybody: that is one press, not two. */
const SAME_PRESS = 500;
const isWindows = process.platform === 'win32';

/**
 * Programs that live and end with this one. Each has a process group of its own, so that Ctrl-C reaches this process
 * alone and every program hears of the end exactly once.
 */
export class Children {
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #running = new Set();
  #ending = new AbortController();

  get isEnding() {
    return this.#ending.signal.aborted;
  }

  /** Aborted once all are to end. */
  get ending() {
    return this.#ending.signal;
  }

  /**
   * @param {string} command
   * @param {readonly string[]} args
   * @param {import('node:child_process').SpawnOptions} options
   */
  start(command, args, options) {
    const child = spawn(command, args, { ...options, detached: !isWindows });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
    return child;
  }

  /** Asks every program to end, and ends those that take over ten seconds. Resolves when all are gone. */
  async end() {
    this.#ending.abort();
    const gone = [...this.#running].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    const deadline = setTimeout(() => this.endNow(), GRACE);
    for (const child of this.#running) child.kill('SIGTERM');
    await Promise.all(gone);
    clearTimeout(deadline);
  }

  /** Ends every program, with whatever it has started, at once. */
  endNow() {
    for (const child of this.#running) {
      try {
        if (isWindows || child.pid === undefined) child.kill('SIGKILL');
        else process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    }
  }

  /** From now on the first Ctrl-C (or SIGTERM, or a closed terminal) ends all in order, a second one at once. */
  endOnSignal() {
    let first = 0;
    const onSignal = () => {
      if (first === 0) {
        first = Date.now();
        // On Windows a console's Ctrl-C reaches every program by itself, and kill() would cut them short.
        if (isWindows) this.#ending.abort();
        else void this.end();
      } else if (Date.now() - first > SAME_PRESS) {
        this.endNow();
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} its exit code; 1 if a signal ended it
 */
export function exitCode(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
