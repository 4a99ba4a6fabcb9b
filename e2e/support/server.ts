import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Line } from './line.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** A real server process on a data folder of its own, which can be killed and started again where it was. */
export class TestServer {
  readonly data: string;
  readonly origin: string;
  readonly #lines: Line[] = [];
  readonly #port: number;
  readonly #mediaPort: number;
  #process: ChildProcess | null = null;
  /** Everything the process has written, for the tests that look for secrets in it. */
  output = '';

  private constructor(data: string, port: number, mediaPort: number) {
    this.data = data;
    this.#port = port;
    this.#mediaPort = mediaPort;
    this.origin = `http://localhost:${port}`;
  }

  static async start(): Promise<TestServer> {
    const data = await mkdtemp(join(tmpdir(), 'teahouse-e2e-'));
    const server = new TestServer(data, await freePort(), await freePort());
    await server.start();
    return server;
  }

  /** Starts the process and waits until it answers `/readyz`. Rejects with its output if it ends or takes over 20 s. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      ['server/main.ts', '--data', this.data, '--port', String(this.#port), '--host', '127.0.0.1'],
      {
        cwd: root,
        env: { ...process.env, TEAHOUSE_MEDIA_PORT: String(this.#mediaPort), TEAHOUSE_MEDIA_ADDRESS: '127.0.0.1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process = child;
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    const deadline = Date.now() + 20_000;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the server did not become ready:\n${this.output}`);
      }
      await sleep(50);
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.origin}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  /** As a power cut would: no chance to finish anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** A line of one's own to this server. */
  async line(): Promise<Line> {
    const line = await Line.open(this.#port);
    this.#lines.push(line);
    return line;
  }

  async stop(): Promise<void> {
    for (const line of this.#lines) await line.close();
    await this.#end('SIGTERM');
    await rm(this.data, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** For benches that read the process's memory. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  /** The fragments of invitation links (`#/join/…`), made by the command that an administrator uses. */
  async invite(count: number, role: 'admin' | 'member' | 'guest' = 'member'): Promise<string[]> {
    const { stdout } = await run(
      process.execPath,
      ['server/cli/main.ts', 'invite', '--count', String(count), '--role', role, '--data', this.data, '--json'],
      { cwd: root },
    );
    const { links } = JSON.parse(stdout) as { links: string[] };
    return links.map((link) => new URL(link).hash);
  }
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return address.port;
}
