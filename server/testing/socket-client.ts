import { once } from 'node:events';
import { WebSocket } from 'ws';
import { fromWire, type WireError } from '../../protocol/errors.ts';
import { PROTOCOL, SOCKET_PATH } from '../../protocol/frames.ts';
import { hello } from '../../protocol/hello.ts';
import type { EventParamsOf, EventType, Method, ParamsOf, ResultOf } from '../../protocol/method.ts';

export interface ReceivedEvent {
  readonly event: string;
  readonly params: unknown;
  readonly seq: number;
}

/** A plain client of the wire, for tests and benches: sends what it is told and shows what came back. */
export class SocketClient {
  readonly socket: WebSocket;
  /** The server's http address. */
  readonly base: string;
  readonly events: ReceivedEvent[] = [];
  /** Frames that answered no request: errors without an id. */
  readonly stray: unknown[] = [];
  readonly closed: Promise<number>;
  onEvent: ((event: ReceivedEvent) => void) | null = null;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: unknown) => void }>();
  #lastId = 0;

  private constructor(socket: WebSocket, base: string) {
    this.socket = socket;
    this.base = base;
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString()) as Record<string, unknown>));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`closed with ${code}`));
        this.#waiting.clear();
        resolve(code);
      });
    });
  }

  /** `base` is the server's http address. */
  static async connect(base: string, headers: Record<string, string> = {}): Promise<SocketClient> {
    const socket = new WebSocket(`${base.replace(/^http/, 'ws')}${SOCKET_PATH}`, { headers, perMessageDeflate: false });
    const client = new SocketClient(socket, base);
    await once(socket, 'open');
    return client;
  }

  async hello(options: Partial<ParamsOf<typeof hello>> = {}): Promise<ResultOf<typeof hello>> {
    return this.request(hello, { protocol: PROTOCOL, client: 'test', ...options });
  }

  /** Parses the answer with the method's schema, so that a wrong answer fails too. */
  async request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    return method.result.parse(await this.raw(method.name, params)) as ResultOf<M>;
  }

  raw(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** The first event of this type that came or will come, and that `matches`; it is taken out of `events`. */
  async next<E extends EventType>(
    type: E,
    matches: (params: EventParamsOf<E>) => boolean = () => true,
    timeoutMs = 15_000,
  ): Promise<EventParamsOf<E>> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const at = this.events.findIndex(
        ({ event, params }) => event === type.name && matches(params as EventParamsOf<E>),
      );
      const [found] = at < 0 ? [] : this.events.splice(at, 1);
      if (found) return type.params.parse(found.params) as EventParamsOf<E>;
      if (Date.now() > deadline) throw new Error(`no ${type.name} came in ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #receive(frame: Record<string, unknown>): void {
    if (typeof frame.event === 'string') {
      const event = frame as unknown as ReceivedEvent;
      if (this.onEvent) this.onEvent(event);
      else this.events.push(event);
      return;
    }
    const waiting = this.#waiting.get(frame.id as number);
    if (!waiting) return void this.stray.push(frame);
    this.#waiting.delete(frame.id as number);
    if (frame.error) waiting.reject(fromWire(frame.error as WireError));
    else waiting.resolve(frame.result);
  }
}
