import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Bytes that a stalled line takes in each direction before it takes no more. */
const BUFFER_BYTES = 64 * 1024;

/**
 * One person's line to the server: a TCP relay that can be cut, delayed and stalled. Chromium's own offline emulation
 * leaves open WebSockets alone; pulling this plug does not. Media travels beside it, over UDP.
 */
export class Line {
  readonly #relay: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pipes = new Set<Pipe>();
  #up = true;
  #delayMs = 0;
  #stalled = false;
  #weather: Weather | null = null;
  readonly origin: string;

  private constructor(relay: Server, port: number) {
    this.#relay = relay;
    this.origin = `http://localhost:${port}`;
  }

  /** Opens a line from a port of its own to `serverPort` on this machine. */
  static async open(serverPort: number): Promise<Line> {
    const relay = createServer({ allowHalfOpen: true });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const address = relay.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    const line = new Line(relay, address.port);
    relay.on('connection', (near) => line.#join(near, serverPort));
    return line;
  }

  #join(near: Socket, serverPort: number): void {
    if (!this.#up) {
      near.destroy();
      return;
    }
    const far = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => one.destroy());
      const pipe = new Pipe(one, other, {
        delayMs: () => this.#delayMs,
        isStalled: () => this.#stalled,
        weather: () => this.#weather,
      });
      this.#pipes.add(pipe);
      one.on('close', () => {
        this.#sockets.delete(one);
        pipe.end();
      });
      other.on('close', () => this.#pipes.delete(pipe));
    }
  }

  /** Breaks what is open; new connections are still taken. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks what is open and refuses what is new, until `restore`. */
  cut(): void {
    this.#up = false;
    this.drop();
  }

  restore(): void {
    this.#up = true;
  }

  /** From now on every byte takes `ms` milliseconds, in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Nothing arrives any more, in either direction, not even the end of a connection; nothing is lost, until `flow`. */
  stall(): void {
    this.#stalled = true;
  }

  /** From now on each direction of each connection stops and flows by itself, as `weather` says. Null ends that. */
  falter(weather: Weather | null): void {
    this.#weather = weather;
    if (weather === null) for (const pipe of this.#pipes) pipe.recover();
  }

  flow(): void {
    this.#stalled = false;
    for (const pipe of this.#pipes) pipe.pump();
  }

  async close(): Promise<void> {
    this.flow();
    this.cut();
    this.#relay.close();
    await once(this.#relay, 'close');
  }
}

/** Milliseconds; asked anew each time. */
export interface Weather {
  readonly stallMs: () => number;
  /** How long it flows in between. */
  readonly flowMs: () => number;
}

interface Conditions {
  readonly delayMs: () => number;
  readonly isStalled: () => boolean;
  readonly weather: () => Weather | null;
}

/** One direction of one connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #conditions: Conditions;
  #waiting: { readonly chunk: Buffer; readonly due: number }[] = [];
  #bytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  /** It stops by itself until then, and after that flows until then. */
  #stalledUntil = 0;
  #flowsUntil = 0;

  constructor(from: Socket, to: Socket, conditions: Conditions) {
    this.#from = from;
    this.#to = to;
    this.#conditions = conditions;
    const weather = conditions.weather();
    if (weather !== null) this.#flowsUntil = performance.now() + weather.flowMs();
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => this.end());
    to.on('drain', () => this.pump());
    to.on('close', () => clearTimeout(this.#timer));
  }

  #take(chunk: Buffer): void {
    this.#waiting.push({ chunk, due: performance.now() + this.#conditions.delayMs() });
    this.#bytes += chunk.length;
    const now = performance.now();
    const weather = this.#conditions.weather();
    if (weather !== null && this.#flowsUntil <= now) {
      this.#stalledUntil = now + weather.stallMs();
      this.#flowsUntil = this.#stalledUntil + weather.flowMs();
    }
    const isStalled = this.#stalledUntil > now || this.#conditions.isStalled();
    if (isStalled && this.#bytes > BUFFER_BYTES) this.#from.pause();
    this.pump();
  }

  /** Nothing more comes; what was taken still arrives, and then the end. */
  end(): void {
    this.#ended = true;
    this.pump();
  }

  recover(): void {
    this.#stalledUntil = 0;
    this.pump();
  }

  pump(): void {
    clearTimeout(this.#timer);
    if (this.#conditions.isStalled()) return;
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const wait = Math.max(next.due, this.#stalledUntil) - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait);
        return;
      }
      this.#waiting.shift();
      this.#bytes -= next.chunk.length;
      if (!this.#to.destroyed && !this.#to.write(next.chunk)) return;
    }
    this.#from.resume();
    if (this.#ended) this.#to.destroySoon();
  }
}
