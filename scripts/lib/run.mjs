import { spawn } from 'node:child_process';
import process from 'node:process';

const FIRST_LINES = 15;
const LAST_LINES = 30;

/** A program that ended badly; `excerpt` holds the first and the last lines it wrote: some say the reason at once. */
export class RunError extends Error {
  /**
   * @param {string} message
   * @param {string} excerpt
   */
  constructor(message, excerpt) {
    super(message);
    this.name = 'RunError';
    this.excerpt = excerpt;
  }
}

/** Programs that are running now; none of them shall go on when this one ends before them. */
const running = /** @type {Set<import('node:child_process').ChildProcess>} */ (new Set());
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')));

/**
 * Runs a program to its end without a standard input.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeout?: number, shell?: boolean, onLine?: (line: string) => void }} [options]
 *   `timeout` in milliseconds; `onLine` sees every line of both outputs as it comes
 * @returns {Promise<string>} everything it wrote
 * @throws {RunError} when it cannot be started, exits with a code other than 0, or does not end in time
 */
export function run(command, args, { cwd, env, timeout, shell, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env, timeout, shell: shell ?? false, killSignal: /** @type {const} */ ('SIGKILL') };
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    let rest = '';
    /** @param {Buffer} chunk */
    const take = (chunk) => {
      output += chunk;
      const lines = (rest + chunk).split(/\r?\n/);
      rest = lines.pop() ?? '';
      if (onLine) lines.forEach(onLine);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => reject(new RunError(`${command} could not be started: ${error.message}`, '')));
    child.on('close', (code, signal) => {
      running.delete(child);
      if (code === 0) return resolve(output);
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
      reject(new RunError(`${command} ${how}`, excerptOf(output)));
    });
  });
}

/** @param {string} output */
function excerptOf(output) {
  const lines = output.trimEnd().split('\n');
  if (lines.length <= FIRST_LINES + LAST_LINES) return lines.join('\n');
  return [...lines.slice(0, FIRST_LINES), '…', ...lines.slice(-LAST_LINES)].join('\n');
}
