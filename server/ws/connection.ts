import { randomBytes, randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Caller, CallerSession } from './method.ts';
import type { EventStream } from './event-stream.ts';

/** Bytes that may wait for a peer that reads slowly, before it is cut off. It then reconnects and resumes. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** One client's WebSocket, and what its hello proved. */
export class Connection {
  readonly id = randomUUID();
  readonly challenge = randomBytes(32).toString('base64');
  readonly address: string;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #caller: Caller | null = null;
  #corked = false;
  /** The event stream it is attached to, once it said hello. */
  stream: EventStream | null = null;
  /** Requests that wait for their answer. */
  inFlight = 0;
  /** Malformed frames so far. */
  faults = 0;
  /** Whether anything came since the last heartbeat. */
  alive = true;
  closing = false;

  constructor(socket: WebSocket, stream: Duplex, address: string) {
    this.#socket = socket;
    this.#stream = stream;
    this.address = address;
  }

  /** Who is asking; null before hello. */
  get caller(): Caller | null {
    return this.#caller;
  }

  identify(client: string, session: CallerSession | null): void {
    this.#caller = { connectionId: this.id, address: this.address, challenge: this.challenge, client, session };
  }

  /** Sends one text frame. Frames of one turn of the event loop leave in one write. */
  send(text: string): void {
    if (this.closing || this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#stream.uncork();
      });
    }
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.#socket.terminate();
  }

  /** No more frames are read until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** Starts the closing handshake; the socket is cut if the peer does not answer in a few seconds. */
  close(code: number, reason: string): void {
    if (this.closing) return;
    this.closing = true;
    this.#socket.resume();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), 3000).unref();
  }

  terminate(): void {
    this.closing = true;
    this.#socket.terminate();
  }
}
