import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { logAcceptErrors } from '../accept-errors.ts';
import { addressGroup } from '../address-group.ts';
import type { Log } from '../log.ts';
import { Places } from '../places.ts';
import { LIMITS } from './limits.ts';

/** All trusted proxies together; no address is written like this. */
const PROXIES = 'trusted proxies';

export interface TcpGuardOptions {
  readonly log: Log;
  /** Whether many people come from this peer's address, so that it is not held to one machine's limit. */
  readonly isProxy: (address: string) => boolean;
}

/**
 * Looks after every TCP connection for its whole life. Node removes its own `error` listener from a socket when it hands
 * the socket over for an upgrade, and a socket that fails without one ends the process; the listener here stays, whoever
 * holds the socket. Also bounds how many connections there are that are no WebSockets.
 */
export class TcpGuard {
  readonly #options: TcpGuardOptions;
  readonly #plain = new Places<Duplex>({
    total: LIMITS.plainSockets.value,
    ofGroup: (group) => (group === PROXIES ? Infinity : LIMITS.plainSocketsPerAddress.value),
  });

  constructor(options: TcpGuardOptions) {
    this.#options = options;
  }

  /** Connections that are no WebSockets. */
  get size(): number {
    return this.#plain.size;
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#admit(socket));
    server.on('request', ({ socket }: IncomingMessage) => this.#plain.renew(socket));
    // Before that, an error is the answer to whoever asked it to listen.
    server.once('listening', () => logAcceptErrors(server, this.#options.log, 'the port could not take a connection'));
  }

  /** The socket has become a WebSocket, and is counted as one. */
  release(socket: Duplex): void {
    this.#plain.leave(socket);
  }

  #admit(socket: Socket): void {
    socket.on('error', (error) => this.#options.log.trace({ err: error }, 'a connection failed'));
    socket.once('close', () => this.release(socket));
    const address = socket.remoteAddress ?? '';
    // Answers take moments, so of many, whoever asked for something longest ago is the least likely to wait for one.
    this.#plain.enter(socket, this.#options.isProxy(address) ? PROXIES : addressGroup(address))?.destroy();
  }
}
