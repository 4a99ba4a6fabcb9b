import { ProtocolError } from '../../protocol/errors.ts';
import { PROTOCOL, SOCKET_PATH } from '../../protocol/frames.ts';
import { hello, resynchronise } from '../../protocol/hello.ts';
import type { EventParamsOf, EventType, Method, ParamsOf, ResultOf } from '../../protocol/method.ts';
import { ping } from '../../protocol/ping.ts';
import { OfflineError } from './connection.ts';
import type { Connection, ConnectionState, RequestOptions } from './connection.ts';
import { EventStream } from './event-stream.ts';
import { Liveness } from './liveness.ts';
import type { NetworkChange, NetworkSignals } from './network-signals.ts';
import { OpeningRace } from './opening-race.ts';
import { Patience } from './patience.ts';
import { PendingRequests } from './pending-requests.ts';
import { Resync } from './resync.ts';
import type { ResyncHandler } from './resync.ts';
import { endedBy, parseFrame } from './server-frame.ts';
import { TIMINGS } from './timings.ts';
import type { Timings } from './timings.ts';

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

/** Sockets that are being opened at once. */
const MOST_OPENING = 4;

/** `doubted`: it was live and fell silent. If it speaks before another socket is open, it is live again. */
type Phase = 'resting' | 'waiting' | 'connecting' | 'live' | 'doubted';

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
  readonly #resync: Resync;
  readonly #patience: Patience;
  readonly #stopNetwork: () => void;
  readonly #report: (error: unknown) => void;
  #requests: PendingRequests;
  #state: ConnectionState = { kind: 'connecting' };
  #welcome: Welcome | null = null;
  #session: string | null = null;
  #socket: WebSocket | null = null;
  /** The last one, if the server began to close it and has not ended it yet: its code may still say why. */
  #ending: WebSocket | null = null;
  #restarting: Restart | null = null;
  /** Rises with every socket, so that what an earlier one still says is ignored. */
  #generation = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #stableTimer: ReturnType<typeof setTimeout> | undefined;
  #resyncTimer: ReturnType<typeof setTimeout> | undefined;
  #liveness: Liveness | null = null;
  /** Something came after the answer to hello. */
  #progress = false;
  /** Sockets that are being opened; while the present one is doubted, beside it. */
  #race: OpeningRace | null = null;
  #url = '';
  #phase: Phase = 'resting';
  #started = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#report = options.report ?? (() => undefined);
    this.#events = new EventStream(this.#report);
    this.#events.on(resynchronise, () => void this.#eventsLost());
    this.#resync = new Resync(this.#report);
    this.#patience = new Patience(this.#timings, options.random ?? Math.random);
    this.#requests = new PendingRequests(() => this.#liveness?.hint());
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

  onResync(handler: ResyncHandler): () => void {
    return this.#resync.add(handler);
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
    this.#patience.reset();
    this.#started = true;
    return new Promise<Welcome>((resolve, reject) => {
      this.#restarting = { resolve, reject };
      this.#dropSocket();
      this.#setState({ kind: 'connecting' });
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

  /** Tries once. The state stays what it was, so that attempts that fail do not make it flicker. */
  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    clearTimeout(this.#retryTimer);
    this.#phase = 'connecting';
    const origin = await this.#options.origin();
    if (generation !== this.#generation || this.#closed) return;
    if (origin === null) {
      this.#phase = 'resting';
      this.#setState({ kind: 'offline', retryAt: null });
      return;
    }
    const url = new URL(SOCKET_PATH, origin);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    this.#url = url.href;
    this.#openAnother();
  }

  /** Opens a socket. The present one, if there is one, stays until another is open. */
  #openAnother(): void {
    this.#race?.cancel();
    const open = this.#options.openSocket ?? ((address) => new WebSocket(address));
    this.#race = new OpeningRace({
      open: () => open(this.#url),
      gapMs: this.#timings.connect,
      longestGapMs: this.#timings.longestConnect,
      most: MOST_OPENING,
      onOpen: (socket) => this.#take(socket),
      onFailed: () => this.#openingFailed(),
      onSlow: () => this.#setState({ kind: 'offline', retryAt: null }),
    });
  }

  #openingFailed(): void {
    this.#race = null;
    if (this.#socket === null) this.#lost(this.#generation);
    else this.#retryTimer = setTimeout(() => this.#openAnother(), this.#patience.nextWait());
  }

  /** From now on this open socket is the connection. */
  #take(socket: WebSocket): void {
    if (this.#socket !== null) this.#patience.gaveUp();
    this.#dropSocket();
    const generation = this.#generation;
    this.#phase = 'connecting';
    this.#socket = socket;
    socket.addEventListener('message', (message) => this.#received(generation, message.data));
    socket.addEventListener('close', (event) => this.#socketClosed(generation, socket, event.code));
    this.#connectTimer = setTimeout(() => {
      this.#patience.helloTooSlow();
      this.#openAnother();
    }, this.#patience.helloMs);
    void this.#sayHello(generation);
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
      const welcome = await this.#ask(hello, params, this.#timings.longestConnect, undefined, (answer) =>
        this.#events.moveTo(answer.stream, answer.resumed && asked !== null ? asked.seq : answer.seq),
      );
      if (generation === this.#generation) await this.#welcomed(generation, welcome);
    } catch (error) {
      if (generation === this.#generation) this.#helloRefused(generation, error);
    }
  }

  async #welcomed(generation: number, welcome: Welcome): Promise<void> {
    this.#stopOpening();
    this.#stableTimer = setTimeout(() => this.#patience.stable(), this.#timings.stable);
    this.#welcome = welcome;
    this.#patience.welcomed();
    this.#phase = 'live';
    this.#watch(generation);
    if (!welcome.resumed) this.#resync.owe();
    const { isOwed } = this.#resync;
    if (isOwed) this.#setState({ kind: 'resynchronising' });
    this.#restarting?.resolve(welcome);
    this.#restarting = null;
    await this.#settle(generation);
  }

  /** Fetches anew what is owed, and is online then. */
  async #settle(generation: number): Promise<void> {
    if (this.#resync.isOwed) await this.#resync.run();
    if (generation !== this.#generation) return;
    if (this.#phase === 'live') this.#setState({ kind: 'online' });
    this.#resyncLater(generation);
  }

  /** The server has left out events that were too long: whatever is shown is fetched anew, on the same line. */
  async #eventsLost(): Promise<void> {
    this.#resync.owe();
    // One that is under way is followed by another, see `resyncLater`.
    if (this.#state.kind !== 'online') return;
    this.#setState({ kind: 'resynchronising' });
    await this.#settle(this.#generation);
  }

  /** What the server refused for the moment is asked for again on this connection. */
  #resyncLater(generation: number): void {
    if (!this.#resync.isOwed || generation !== this.#generation) return;
    clearTimeout(this.#resyncTimer);
    this.#resyncTimer = setTimeout(() => {
      void this.#resync.run().then(() => this.#resyncLater(generation));
    }, this.#timings.resyncAgain);
  }

  #watch(generation: number): void {
    this.#progress = false;
    this.#liveness = new Liveness({
      timings: this.#timings,
      patience: this.#patience.factor,
      isWaiting: () => this.#requests.size > 0,
      buffered: () => this.#socket?.bufferedAmount ?? 0,
      ping: () => void this.#ask(ping, {}, this.#timings.request).catch(() => undefined),
      onDead: () => {
        if (generation !== this.#generation) return;
        this.#patience.silent(this.#progress);
        this.#phase = 'doubted';
        this.#setState(this.#options.network.online() ? { kind: 'connecting' } : { kind: 'offline', retryAt: null });
        this.#openAnother();
      },
    });
  }

  /** The connection that was doubted has spoken. */
  #revive(): void {
    this.#stopOpening();
    this.#phase = 'live';
    this.#watch(this.#generation);
    this.#setState({ kind: this.#resync.isOwed ? 'resynchronising' : 'online' });
  }

  #stopOpening(): void {
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#retryTimer);
    this.#race?.cancel();
    this.#race = null;
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
    if (socket === null || socket.readyState !== socket.OPEN) {
      if (socket !== null) this.#closing(socket);
      throw new OfflineError(`${method.name} needs a connection`);
    }
    this.#liveness?.asked();
    const { id, answer } = this.#requests.add(method, timeoutMs, signal, first);
    socket.send(JSON.stringify({ id, method: method.name, params }));
    return (await answer) as ResultOf<M>;
  }

  #received(generation: number, data: unknown): void {
    if (generation !== this.#generation) return;
    if (this.#phase === 'doubted') this.#revive();
    this.#liveness?.heard();
    if (this.#phase === 'live') this.#progress = true;
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

  /** The server has begun to close it. When that ends is up to the server, so nothing waits for it. */
  #closing(socket: WebSocket): void {
    this.#gone();
    this.#ending = socket;
  }

  #socketClosed(generation: number, socket: WebSocket, code: number): void {
    const gone = socket === this.#ending;
    if (generation !== this.#generation && !gone) return;
    const reason = endedBy(code);
    if (reason === null || (reason === 'replaced' && this.#patience.wasStraggler())) {
      if (!gone) this.#gone();
      return;
    }
    this.#dropSocket();
    this.#rejectRestart(new ProtocolError('session_invalid', 'the server ended this session'));
    this.#setState({ kind: 'ended', reason });
  }

  #gone(): void {
    if (this.#race === null) this.#lost(this.#generation);
    else this.#fallBackTo(this.#race);
  }

  /** The connection is gone while another is being opened. */
  #fallBackTo(race: OpeningRace): void {
    this.#race = null;
    this.#dropSocket();
    this.#race = race;
    this.#phase = 'connecting';
    if (this.#state.kind !== 'offline') this.#setState({ kind: 'connecting' });
  }

  #lost(generation: number): void {
    if (generation !== this.#generation) return;
    this.#dropSocket();
    const there = this.#options.network.online();
    const wait = there ? this.#patience.nextWait() : this.#timings.withoutNetwork;
    this.#phase = 'waiting';
    this.#retryTimer = setTimeout(() => void this.#connect(), wait);
    const offline = !there || wait > this.#timings.brief || this.#state.kind === 'offline';
    this.#setState(offline ? { kind: 'offline', retryAt: Date.now() + wait } : { kind: 'connecting' });
  }

  #dropSocket(): void {
    this.#generation += 1;
    this.#phase = 'resting';
    this.#stopOpening();
    clearTimeout(this.#stableTimer);
    clearTimeout(this.#resyncTimer);
    this.#liveness?.stop();
    this.#liveness = null;
    const socket = this.#socket;
    this.#socket = null;
    this.#ending = null;
    socket?.close();
    this.#requests.failAll(new OfflineError('the connection was lost'));
    this.#requests = new PendingRequests(() => this.#liveness?.hint());
  }

  #networkChanged(change: NetworkChange): void {
    if (this.#closed || !this.#started) return;
    const phase = this.#phase;
    if (change === 'gone' && phase !== 'resting') this.#lost(this.#generation);
    else if (phase === 'waiting') {
      this.#patience.reset();
      if (change === 'back') this.#setState({ kind: 'connecting' });
      void this.#connect();
    } else if (phase === 'live') this.#liveness?.hint();
    // What was begun on another network may never be answered; on the same one it is only slow.
    else if (phase !== 'resting' && change === 'back') {
      if (this.#race === null) this.#openAnother();
      else this.#race.another();
    }
  }

  #rejectRestart(error: Error): void {
    this.#restarting?.reject(error);
    this.#restarting = null;
  }

  #setState(state: ConnectionState): void {
    const same = state.kind === this.#state.kind && state.kind !== 'ended';
    this.#state = state;
    if (same) return;
    for (const listener of this.#stateListeners) {
      listener(state);
      // A listener has changed the state: the others have heard of the newer one.
      if (this.#state !== state) return;
    }
  }
}
