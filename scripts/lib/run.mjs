import { spawn } from 'node:child_process';

const TAIL_LINES = 40;

/** A program that ended badly; `tail` holds the last lines it wrote. */
export class RunError extends Error {
  /**
   * @param {string} message
   * @param {string} tail
   */
  constructor(message, tail) {
    super(message);
    this.name = 'RunError';
    this.tail = tail;
  }
}

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
      if (code === 0) return resolve(output);
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
      reject(new RunError(`${command} ${how}`, output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')));
    });
  });
}
