import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { CloseCode, HEARTBEAT_MS, MAX_FRAME_BYTES, SOCKET_PATH } from '../../protocol/frames.ts';
import type { Log } from '../log.ts';
import type { Closings } from './closings.ts';
import { Connection } from './connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EventHub } from './event-hub.ts';

/** RFC 6455 section 7.4.1: the server is going down. */
const GOING_AWAY = 1001;

export interface SocketServerOptions {
  readonly dispatcher: Dispatcher;
  readonly hub: EventHub;
  readonly closings: Closings;
  readonly log: Log;
  /** Whether a page of the request's origin may connect. */
  readonly isAllowed: (request: IncomingMessage) => boolean;
  readonly addressOf: (request: IncomingMessage) => string;
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
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #connections = new Set<Connection>();
  readonly #heartbeat: NodeJS.Timeout;
  #closing = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS).unref();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Answers the upgrades of this HTTP server. */
  listenOn(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Answers what was asked, then closes every connection. Takes at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#heartbeat);
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
      this.#accept(webSocket, socket, this.#options.addressOf(request));
    });
  }

  #accept(socket: WebSocket, stream: Duplex, address: string): void {
    const connection = new Connection(socket, stream, address);
    this.#connections.add(connection);
    const { dispatcher, log, helloTimeoutMs } = this.#options;
    const helloTimer = setTimeout(() => {
      if (!connection.caller) connection.close(CloseCode.helloTimeout, 'no hello came');
    }, helloTimeoutMs).unref();
    let gone = false;
    const settled = () => {
      if (gone && connection.inFlight === 0) this.#ended(connection);
    };
    socket.on('message', (data: RawData, isBinary: boolean) => {
      connection.alive = true;
      if (!connection.closing) dispatcher.receive(connection, data as Buffer, isBinary, settled);
    });
    socket.on('pong', () => void (connection.alive = true));
    socket.on('error', (error) => log.debug({ err: error, connectionId: connection.id }, 'a connection failed'));
    socket.on('close', (code) => {
      clearTimeout(helloTimer);
      log.debug({ connectionId: connection.id, code }, 'connection closed');
      this.#options.hub.detach(connection);
      connection.closing = true;
      gone = true;
      settled();
    });
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
      if (!connection.alive) {
        connection.terminate();
        continue;
      }
      connection.alive = false;
      connection.ping();
    }
  }
}

function refuse(socket: Duplex, status: 403 | 404 | 503): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
