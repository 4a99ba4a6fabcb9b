import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../../server/main.ts');

/** The real server as a process of its own, so that it can be killed as a machine's failure kills it. */
export class ServerProcess {
  readonly #dataDir: string;
  #process: ChildProcess | null = null;
  #port = 0;
  /** The first administrator's. */
  invitation = '';

  readonly #env: Readonly<Record<string, string>>;
  /** Its log, line by line. */
  readonly log: string[] = [];

  private constructor(dataDir: string, env: Readonly<Record<string, string>>) {
    this.#dataDir = dataDir;
    this.#env = env;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), 'teahouse-')), env);
    await server.start();
    return server;
  }

  get dataDir(): string {
    return this.#dataDir;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it (again), on the port it had. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, '--data', this.#dataDir, '--port', String(this.#port)], {
      env: { ...process.env, TEAHOUSE_MEDIA_WORKERS: '0', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.log.push(line);
      if (!('TEAHOUSE_LOG_LEVEL' in this.#env)) process.stderr.write(`${line}\n`);
    });
    await new Promise<void>((resolve, reject) => {
      const lines = createInterface({ input: child.stdout });
      lines.on('close', () => reject(new Error('the server ended before it was ready')));
      lines.on('line', (line) => {
        const port = /Teahouse is at \S+:(\d+)/.exec(line);
        if (port) this.#port = Number(port[1]);
        const token = /#\/join\/([A-Za-z0-9_-]{43})/.exec(line);
        if (token?.[1]) this.invitation = token[1];
        if (line.startsWith('Ctrl-C')) resolve();
      });
    });
  }

  /** SIGKILL: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}
