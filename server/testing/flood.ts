import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Ask } from './largest-frames.ts';
import { newId } from './person.ts';
import { SocketClient } from './socket-client.ts';

export interface FloodOptions {
  /** The server's http address. */
  readonly base: string;
  readonly headers: Record<string, string>;
  readonly session: string;
  /** Sent one after the other, again and again. */
  readonly asks: readonly Ask[];
  /** Requests that wait for their answer at any time. */
  readonly underWay: number;
  /** Milliseconds from an answer to the next request in its place. */
  readonly pauseMs: number;
}

/** How often each came: "ok", or the code of a refusal. */
export type Outcomes = Readonly<Record<string, number>>;

/** One account's requests without end, from a thread of its own, so that they cost no time of the one who measures. */
export class Flood {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves when it has said hello. */
  static async start(options: FloodOptions): Promise<Flood> {
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    await once(worker, 'message');
    return new Flood(worker);
  }

  /** Ends it. Returns what it was answered. */
  async stop(): Promise<Outcomes> {
    this.#worker.postMessage('stop');
    for (;;) {
      const [told] = (await once(this.#worker, 'message')) as [Outcomes | 'ready'];
      if (told === 'ready') continue;
      await this.#worker.terminate();
      return told;
    }
  }
}

async function flood({ base, headers, session, asks, underWay, pauseMs }: FloodOptions): Promise<void> {
  const outcomes: Record<string, number> = {};
  let [stopped, sent] = [false, 0];
  parentPort?.once('message', () => {
    stopped = true;
    parentPort?.postMessage(outcomes);
  });
  const frames = asks.map(({ method, params }) => {
    const [before = '', after = ''] = params.split(/(?<="idempotencyId":")[^"]*/, 2);
    const fresh = () => (after === '' ? before : `${before}${newId()}${after}`);
    return (id: number) => `{"id":${id},"method":"${method}","params":${fresh()}}`;
  });
  while (!stopped) {
    const client = await SocketClient.connect(base, headers);
    await client.hello({ session: session as never }).catch(() => delay(100));
    parentPort?.postMessage('ready');
    const { socket } = client;
    const next = () => {
      if (stopped || socket.readyState !== socket.OPEN) return;
      const at = sent++;
      socket.send(frames[at % frames.length]?.(1_000_000 + at) ?? '');
    };
    socket.on('message', (data: Buffer) => {
      const head = data.toString('latin1', 0, 200);
      if (head.startsWith('{"event"')) return;
      const code = /"error":\{"code":"(\w+)"/.exec(head)?.[1] ?? 'ok';
      outcomes[code] = (outcomes[code] ?? 0) + 1;
      if (pauseMs > 0) setTimeout(next, pauseMs);
      else setImmediate(next);
    });
    for (let i = 0; i < underWay; i++) next();
    // Who is cut off comes back at once.
    await client.closed;
  }
}

if (!isMainThread && parentPort) await flood(workerData as FloodOptions);
