import { prekeyStatus } from '../../protocol/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { CloseCode, HEARTBEAT_MS, MAX_FRAME_BYTES, PROTOCOL, ServerFrame, SOCKET_PATH } from '../../protocol/frames.ts';
import { hello } from '../../protocol/hello.ts';
import type { EventParamsOf, EventType, Method, ParamsOf, ResultOf } from '../../protocol/method.ts';
import { backoffMs } from './backoff.ts';
import { OfflineError } from './connection.ts';
import type { Connection, ConnectionState, RequestOptions } from './connection.ts';
import { EventStream } from './event-stream.ts';
import type { NetworkSignals } from './network-signals.ts';
import { PendingRequests } from './pending-requests.ts';

type Welcome = ResultOf<typeof hello>;

export interface ConnectionOptions {
  /** The server's http or https origin; null while there is none (the desktop app before its first invitation). */
  readonly origin: () => Promise<string | null>;
  /** What hello says about this client. */
  readonly client: string;
  readonly network: NetworkSignals;
  readonly openSocket?: (url: string) => WebSocket;
  readonly random?: () => number;
  /** Told of faults in event handlers; never gets content. */
  readonly report?: (error: unknown) => void;
  readonly timings?: Partial<Timings>;
}

/** All in milliseconds. */
export interface Timings {
  /** From opening the socket to the answer to hello. */
  readonly connect: number;
  readonly request: number;
  /**
   * Silence after which the line is probed. Pings of the WebSocket itself are invisible to a page's code, so this side asks
   * a cheap question of its own.
   */
  readonly silence: number;
  readonly probe: number;
  /** Wait between attempts while the machine itself says that there is no network (it may be wrong about localhost). */
  readonly withoutNetwork: number;
  /** How long a connection must have lived for the next failure to begin the backoff anew. */
  readonly stable: number;
}

const TIMINGS: Timings = {
  connect: 10_000,
  request: 15_000,
  silence: 2 * HEARTBEAT_MS,
  probe: 5_000,
  withoutNetwork: 30_000,
  stable: 5_000,
};

/** Makes the connection; it is idle until the first `restart`. */
export function createConnection(options: ConnectionOptions): Connection {
  return new SocketConnection(options);
}

interface Restart {
  readonly resolve: (welcome: Welcome) => void;
  readonly reject: (error: Error) => void;
}

class SocketConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #timings: Timings;
  readonly #events: EventStream;
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  readonly #resyncHandlers = new Set<() => Promise<void>>();
  readonly #stopNetwork: () => void;
  readonly #report: (error: unknown) => void;
  #requests: PendingRequests;
  #state: ConnectionState = { kind: 'connecting' };
  #welcome: Welcome | null = null;
  #session: string | null = null;
  #socket: WebSocket | null = null;
  #restarting: Restart | null = null;
  #attempt = 0;
  /** Rises with every socket, so that what an earlier one still says is ignored. */
  #generation = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #stableTimer: ReturnType<typeof setTimeout> | undefined;
  #started = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#report = options.report ?? (() => undefined);
    this.#events = new EventStream(this.#report);
    this.#requests = new PendingRequests(() => this.#probe());
    this.#stopNetwork = options.network.onChange((change) => this.#networkChanged(change));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get welcome(): Welcome | null {
    return this.#welcome;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#stateListeners.add(listener);
    listener(this.#state);
    return () => this.#stateListeners.delete(listener);
  }

  on<E extends EventType>(event: E, handler: (params: EventParamsOf<E>) => void | Promise<void>): () => void {
    return this.#events.on(event, handler);
  }

  onResync(handler: () => Promise<void>): () => void {
    this.#resyncHandlers.add(handler);
    return () => this.#resyncHandlers.delete(handler);
  }

  async request<M extends Method>(method: M, params: ParamsOf<M>, options: RequestOptions = {}): Promise<ResultOf<M>> {
    if (this.#state.kind !== 'online' && this.#state.kind !== 'resynchronising') {
      throw new OfflineError(`${method.name} needs a connection`);
    }
    options.signal?.throwIfAborted();
    return this.#ask(method, params, options.timeoutMs ?? this.#timings.request, options.signal);
  }

  restart(session: string | null): Promise<Welcome> {
    this.#restarting?.reject(new OfflineError('another start of the connection replaced this one'));
    this.#session = session;
    this.#events.forget();
    this.#attempt = 0;
    this.#started = true;
    return new Promise<Welcome>((resolve, reject) => {
      this.#restarting = { resolve, reject };
      this.#dropSocket();
      void this.#connect();
    });
  }

  pause(): void {
    this.#started = false;
    this.#events.forget();
    this.#dropSocket();
    this.#rejectRestart(new OfflineError('the connection was closed'));
    this.#setState({ kind: 'offline', retryAt: null });
  }

  close(): void {
    this.#closed = true;
    this.#stopNetwork();
    this.pause();
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    clearTimeout(this.#retryTimer);
    this.#setState({ kind: 'connecting' });
    const origin = await this.#options.origin();
    if (generation !== this.#generation || this.#closed) return;
    if (origin === null) {
      this.#setState({ kind: 'offline', retryAt: null });
      return;
    }
    const url = new URL(SOCKET_PATH, origin);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    const socket = (this.#options.openSocket ?? ((address) => new WebSocket(address)))(url.href);
    this.#socket = socket;
    this.#connectTimer = setTimeout(() => this.#lost(generation), this.#timings.connect);
    socket.addEventListener('open', () => void this.#sayHello(generation));
    socket.addEventListener('message', (message) => this.#received(generation, message.data));
    // What went wrong is not told to pages; `close` follows and is what counts.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', (event) => this.#socketClosed(generation, event.code));
  }

  async #sayHello(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const asked = this.#events.resumePoint;
    try {
      const params = {
        protocol: { ...PROTOCOL },
        client: this.#options.client,
        ...(this.#session === null ? {} : { session: this.#session }),
        ...(asked === null ? {} : { resume: asked }),
      };
      const welcome = await this.#ask(hello, params, this.#timings.connect, undefined, (answer) =>
        this.#events.moveTo(answer.stream, answer.resumed && asked !== null ? asked.seq : answer.seq),
      );
      if (generation === this.#generation) await this.#welcomed(generation, welcome);
    } catch (error) {
      if (generation === this.#generation) this.#helloRefused(generation, error);
    }
  }

  async #welcomed(generation: number, welcome: Welcome): Promise<void> {
    clearTimeout(this.#connectTimer);
    this.#stableTimer = setTimeout(() => (this.#attempt = 0), this.#timings.stable);
    this.#welcome = welcome;
    if (!welcome.resumed) {
      this.#setState({ kind: 'resynchronising' });
    }
    this.#restarting?.resolve(welcome);
    this.#restarting = null;
    if (!welcome.resumed) {
      const settled = await Promise.allSettled([...this.#resyncHandlers].map((handler) => handler()));
      for (const result of settled) if (result.status === 'rejected') this.#report(result.reason);
    }
    if (generation === this.#generation) this.#setState({ kind: 'online' });
  }

  #helloRefused(generation: number, error: unknown): void {
    if (ProtocolError.is(error, 'protocol_unsupported')) {
      this.#dropSocket();
      this.#rejectRestart(error);
      this.#setState({ kind: 'unsupported' });
    } else if (ProtocolError.is(error, 'session_invalid')) {
      this.#dropSocket();
      this.#rejectRestart(error);
      this.#setState({ kind: 'ended', reason: 'session_revoked' });
    } else {
      this.#lost(generation);
    }
  }

  /** Sends one request on the present socket; `first` sees the result before any later frame is looked at. */
  async #ask<M extends Method>(
    method: M,
    params: ParamsOf<M>,
    timeoutMs: number,
    signal?: AbortSignal,
    first?: (result: ResultOf<M>) => void,
  ): Promise<ResultOf<M>> {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== socket.OPEN)
      throw new OfflineError(`${method.name} needs a connection`);
    const { id, answer } = this.#requests.add(method, timeoutMs, signal, first);
    socket.send(JSON.stringify({ id, method: method.name, params }));
    return (await answer) as ResultOf<M>;
  }

  #received(generation: number, data: unknown): void {
    if (generation !== this.#generation) return;
    this.#watchSilence();
    const frame = parseFrame(data);
    if (frame === null) {
      this.#broken(generation);
    } else if ('event' in frame) {
      const receipt = this.#events.take(frame);
      if (receipt === 'gap' || receipt === 'malformed') this.#broken(generation);
    } else if ('result' in frame) {
      if (!this.#requests.succeed(frame.id, frame.result)) this.#broken(generation);
    } else if (frame.id !== null) {
      this.#requests.fail(frame.id, frame.error);
    }
  }

  /** The server said something that cannot be: what is known of the stream cannot be trusted, so all is fetched anew. */
  #broken(generation: number): void {
    this.#events.forget();
    this.#lost(generation);
  }

  #socketClosed(generation: number, code: number): void {
    if (generation !== this.#generation) return;
    const reason = endedBy(code);
    if (reason === null) {
      this.#lost(generation);
      return;
    }
    this.#dropSocket();
    this.#rejectRestart(new ProtocolError('session_invalid', 'the server ended this session'));
    this.#setState({ kind: 'ended', reason });
  }

  #lost(generation: number): void {
    if (generation !== this.#generation) return;
    this.#dropSocket();
    const wait = this.#options.network.online()
      ? backoffMs(this.#attempt, this.#options.random ?? Math.random)
      : this.#timings.withoutNetwork;
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => void this.#connect(), wait);
    this.#setState({ kind: 'offline', retryAt: Date.now() + wait });
  }

  #dropSocket(): void {
    this.#generation += 1;
    // What was to be fetched anew was not: the stream must not be resumed as if it had been.
    if (this.#state.kind === 'resynchronising') this.#events.forget();
    for (const timer of [this.#retryTimer, this.#connectTimer, this.#silenceTimer, this.#stableTimer])
      clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#requests.failAll(new OfflineError('the connection was lost'));
    this.#requests = new PendingRequests(() => this.#probe());
  }

  #networkChanged(change: 'gone' | 'back'): void {
    if (this.#closed || !this.#started) return;
    const waiting = this.#state.kind === 'offline';
    const live = this.#state.kind === 'online' || this.#state.kind === 'resynchronising';
    if (change === 'gone' && (live || this.#state.kind === 'connecting')) this.#lost(this.#generation);
    else if (change === 'back' && waiting) void this.#connect();
    else if (change === 'back' && live) this.#probe();
  }

  #watchSilence(): void {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#probe(), this.#timings.silence);
  }

  /** Asks something cheap; no answer means that the line is dead, though TCP does not know it yet. */
  #probe(): void {
    const generation = this.#generation;
    if (this.#socket === null || this.#welcome === null || this.#welcome.deviceId === null) return;
    void this.#ask(prekeyStatus, {}, this.#timings.probe).catch((error: unknown) => {
      if (!(error instanceof ProtocolError)) this.#lost(generation);
    });
  }

  #rejectRestart(error: Error): void {
    this.#restarting?.reject(error);
    this.#restarting = null;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) {
      listener(state);
      // A listener has changed the state: the others have heard of the newer one.
      if (this.#state !== state) return;
    }
  }
}

function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string' || data.length > MAX_FRAME_BYTES) return null;
  try {
    return ServerFrame.parse(JSON.parse(data));
  } catch {
    return null;
  }
}

function endedBy(code: number): 'replaced' | 'session_revoked' | null {
  if (code === CloseCode.replaced) return 'replaced';
  return code === CloseCode.sessionRevoked ? 'session_revoked' : null;
}
