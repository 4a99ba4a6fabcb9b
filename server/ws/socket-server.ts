import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { CloseCode, HEARTBEAT_MS, MAX_FRAME_BYTES, SOCKET_PATH } from '../../protocol/frames.ts';
import { addressGroup } from '../address-group.ts';
import type { Log } from '../log.ts';
import { allowanceOf } from './allowance.ts';
import { Budgets, type Budget } from './budget.ts';
import type { Closings } from './closings.ts';
import { Connection } from './connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EventHub } from './event-hub.ts';
import { LIMITS } from './limits.ts';
import { Lobby } from './lobby.ts';

/** RFC 6455 section 7.4.1: the server is going down. */
const GOING_AWAY = 1001;
/** How often it is looked for connections that hold more memory than they may. Milliseconds. */
const SWEEP_MS = 1000;

export interface SocketServerOptions {
  readonly dispatcher: Dispatcher;
  readonly hub: EventHub;
  readonly closings: Closings;
  readonly log: Log;
  /** Whether a page of the request's origin may connect. */
  readonly isAllowed: (request: IncomingMessage) => boolean;
  /** Told of every socket that has become a WebSocket. */
  readonly onUpgraded: (socket: Duplex) => void;
  readonly addressOf: (request: IncomingMessage) => string;
  /** Widens what an account or an address may cost; 1 in production. */
  readonly budgetFactor: number;
  /** Milliseconds. */
  readonly helloTimeoutMs: number;
  readonly heartbeatMs?: number;
}

/** Takes WebSocket upgrades, keeps connections alive, and hands their frames to the dispatcher. */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: LIMITS.fragments.value,
    maxBufferedChunks: LIMITS.bufferedChunks.value,
    perMessageDeflate: false,
    clientTracking: false,
    // Answered here, so that pings count against the budget like everything else.
    autoPong: false,
  });
  readonly #connections = new Set<Connection>();
  readonly #lobby = new Lobby();
  readonly #budgets: Budgets;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #sweep: NodeJS.Timeout;
  #closing = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    this.#budgets = new Budgets(options.budgetFactor);
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS).unref();
    this.#sweep = setInterval(() => this.#cutHoarders(), SWEEP_MS).unref();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Connections without a session. */
  get strangerCount(): number {
    return this.#lobby.size;
  }

  /** Answers the upgrades of this HTTP server. */
  listenOn(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Answers what was asked, then closes every connection. Takes at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#heartbeat);
    clearInterval(this.#sweep);
    this.#options.dispatcher.drain();
    const deadline = Date.now() + graceMs;
    while (this.#options.dispatcher.inFlight > 0 && Date.now() < deadline) await delay(10);
    for (const connection of this.#connections) connection.close(GOING_AWAY, 'the server is going down');
    while (this.#connections.size > 0 && Date.now() < deadline) await delay(10);
    for (const connection of this.#connections) connection.terminate();
    while (this.#connections.size > 0) await delay(5);
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split('?')[0];
    if (path !== SOCKET_PATH) return refuse(socket, 404);
    if (this.#closing) return refuse(socket, 503);
    if (!this.#options.isAllowed(request)) return refuse(socket, 403);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#options.onUpgraded(socket);
      this.#accept(webSocket, socket, this.#options.addressOf(request));
    });
  }

  #accept(socket: WebSocket, stream: Duplex, address: string): void {
    const budget = this.#budgets.ofStrangers(addressGroup(address));
    const connection = new Connection(socket, stream, {
      address,
      budget,
      onIdentified: (identified) => this.#identified(identified),
    });
    this.#connections.add(connection);
    this.#lobby.enter(connection);
    const { dispatcher, helloTimeoutMs } = this.#options;
    const helloTimer = setTimeout(() => {
      if (!connection.caller) connection.close(CloseCode.helloTimeout, 'no hello came');
    }, helloTimeoutMs).unref();
    let gone = false;
    const settled = () => {
      if (gone && connection.inFlight === 0) this.#ended(connection);
    };
    socket.on('message', (data: RawData, isBinary: boolean) => {
      connection.taken();
      connection.inTurn(() => {
        if (!connection.closing) dispatcher.receive(connection, data as Buffer, isBinary, settled);
      });
    });
    this.#keepAlive(socket, connection);
    socket.on('close', (code) => {
      clearTimeout(helloTimer);
      this.#options.log.debug({ connectionId: connection.id, code }, 'connection closed');
      this.#options.hub.detach(connection);
      this.#lobby.leave(connection);
      connection.closing = true;
      gone = true;
      settled();
    });
  }

  #keepAlive(socket: WebSocket, connection: Connection): void {
    socket.on('pong', () => {
      if (connection.tooManyControls(performance.now())) connection.terminate();
      else connection.heard();
    });
    socket.on('ping', (data: Buffer) => {
      if (connection.tooManyControls(performance.now())) return connection.terminate();
      if (connection.budget.receive(data.length, performance.now()) === 0) connection.pong(data);
    });
    socket.on('error', (error) => {
      this.#options.log.debug({ err: error, connectionId: connection.id }, 'a connection failed');
      connection.abandon();
    });
  }

  #identified(connection: Connection): Budget {
    const session = connection.caller?.session;
    if (session) this.#lobby.leave(connection);
    else this.#lobby.enter(connection);
    if (session) return this.#budgets.of(allowanceOf(session));
    return this.#budgets.ofStrangers(addressGroup(connection.address));
  }

  /** Once for each connection: it is closed, and its last request was answered. */
  #ended(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.#options.hub.detach(connection);
    this.#options.closings.tell(connection.id);
  }

  #beat(): void {
    this.#options.hub.sweep();
    for (const connection of this.#connections) {
      // A client at rest asks by itself, and need not be woken for a ping besides.
      if (connection.alive) connection.alive = false;
      else if (!connection.pinged) connection.ping();
      else connection.terminate();
    }
  }

  /** Memory that peers make this process hold: half a frame, or answers that they do not read. */
  #cutHoarders(): void {
    for (const stranger of this.#lobby)
      if (stranger.unreadBytes > LIMITS.strangerUnreadBytes.value) stranger.terminate();
    const holding = [...this.#connections].filter(({ bufferedBytes }) => bufferedBytes > 0);
    let total = holding.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
    const byMost =
      total > LIMITS.totalBufferedBytes.value ? holding.toSorted((a, b) => b.bufferedBytes - a.bufferedBytes) : holding;
    for (const connection of byMost) {
      if (total <= LIMITS.totalBufferedBytes.value && !connection.isOverBuffered) continue;
      total -= connection.bufferedBytes;
      connection.terminate();
    }
  }
}

/** The socket is let go of as soon as the answer is on its way: a peer that never closes would hold it. */
function refuse(socket: Duplex, status: 403 | 404 | 503): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
