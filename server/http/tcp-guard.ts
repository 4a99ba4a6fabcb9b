import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../log.ts';
import { LIMITS } from './limits.ts';

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
  /** Oldest first. */
  readonly #plain = new Map<Duplex, string>();
  readonly #byAddress = new Map<string, Set<Duplex>>();

  constructor(options: TcpGuardOptions) {
    this.#options = options;
  }

  /** Connections that are no WebSockets. */
  get size(): number {
    return this.#plain.size;
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#admit(socket));
  }

  /** The socket has become a WebSocket, and is counted as one. */
  release(socket: Duplex): void {
    const address = this.#plain.get(socket);
    if (address === undefined) return;
    this.#plain.delete(socket);
    const others = this.#byAddress.get(address);
    others?.delete(socket);
    if (others?.size === 0) this.#byAddress.delete(address);
  }

  #admit(socket: Socket): void {
    socket.on('error', (error) => this.#options.log.trace({ err: error }, 'a connection failed'));
    socket.once('close', () => this.release(socket));
    const address = socket.remoteAddress ?? '';
    this.#plain.set(socket, address);
    const ofAddress = this.#byAddress.get(address) ?? new Set<Duplex>();
    this.#byAddress.set(address, ofAddress.add(socket));
    if (ofAddress.size > LIMITS.plainSocketsPerAddress.value && !this.#options.isProxy(address)) this.#drop(ofAddress);
    if (this.#plain.size > LIMITS.plainSockets.value) this.#drop(this.#plain.keys());
  }

  /** Closes the oldest: a request takes moments, so it is the one that is least likely to be under way. */
  #drop(sockets: Iterable<Duplex>): void {
    for (const oldest of sockets) {
      this.release(oldest);
      oldest.destroy();
      return;
    }
  }
}
