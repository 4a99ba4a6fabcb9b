import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server as people run it: a process of its own. */
export interface ServerProcess {
  readonly process: ChildProcess;
  readonly base: string;
  /** What it has said on standard output, and what it has logged. */
  readonly output: { text: string; log: string };
  /** Sends a signal and waits for the end. Returns the exit code, null if the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const MAIN = join(import.meta.dirname, '../main.ts');

/** Starts a server on a free port, or on `port`, and waits until it has said its address. */
export async function startServerProcess(
  dataDir: string,
  environment: Record<string, string> = {},
  port = 0,
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, '--data', dataDir, '--port', String(port)], {
    env: { PATH: process.env.PATH, TEAHOUSE_MEDIA_WORKERS: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '', log: '' };
  child.stderr.on('data', (data: Buffer) => void (output.log += data.toString()));
  const base = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${output.log}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.text += `${line}\n`;
      const address = /Teahouse is at (\S+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
  });
  return {
    process: child,
    base,
    output,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, 'close');
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}
