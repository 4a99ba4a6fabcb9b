import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Payer } from '../store/turns.ts';
import type { Budget } from './budget.ts';
import type { Caller, CallerSession } from './method.ts';
import type { EventStream } from './event-stream.ts';
import { LIMITS } from './limits.ts';

/** What a connection that has not said who it is counts against, and where it is told that it did. */
export interface ConnectionOptions {
  readonly address: string;
  readonly budget: Budget;
  /** Called after each hello. Returns the budget that counts from here on. */
  readonly onIdentified: (connection: Connection) => Budget;
}

/** One client's WebSocket, and what its hello proved. */
export class Connection {
  readonly id = randomUUID();
  readonly challenge = randomBytes(32).toString('base64');
  readonly address: string;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #onIdentified: ConnectionOptions['onIdentified'];
  #caller: Caller | null = null;
  #corked = false;
  #pauses = 0;
  #budget: Budget;
  /** Frames that came when the budget had had its turn. */
  readonly #deferred: (() => void)[] = [];
  /** Bytes of complete frames that came. */
  #bytesTaken = 0;
  /** The event stream it is attached to, once it said hello. */
  stream: EventStream | null = null;
  /** Requests that wait for their answer. */
  inFlight = 0;
  /** Malformed frames so far. */
  faults = 0;
  /** Frames that were refused because a budget was used up. */
  refusals = 0;
  /** Whether a hello named a session already. */
  claimed = false;
  #greeted = false;
  /** Whether anything came since the last heartbeat. */
  alive = true;
  #controls = 0;
  #controlsSince = 0;
  /** Whether it was pinged since. */
  pinged = false;
  closing = false;

  constructor(socket: WebSocket, stream: Duplex, { address, budget, onIdentified }: ConnectionOptions) {
    this.#socket = socket;
    this.#stream = stream;
    this.address = address;
    this.#budget = budget;
    this.#onIdentified = onIdentified;
  }

  /** Who is asking; null before hello. */
  get caller(): Caller | null {
    return this.#caller;
  }

  /** What whoever is asking may still cost. */
  get budget(): Budget {
    return this.#budget;
  }

  /** For whom the time counts that its requests take of the database. */
  get payer(): Payer {
    return this.#caller?.payer ?? this.#budget.uncounted;
  }

  /** Bytes that wait because the peer does not read them. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Bytes that have come of a frame that is not complete. */
  get unreadBytes(): number {
    return Math.max(0, (this.#stream as Socket).bytesRead - this.#bytesTaken);
  }

  /** Counts a ping or pong. Whether there were more in this second than anybody needs. `now`: milliseconds. */
  tooManyControls(now: number): boolean {
    if (now - this.#controlsSince >= 1000) [this.#controls, this.#controlsSince] = [0, now];
    this.#controls += 1;
    return this.#controls > LIMITS.controlFramesPerSecond.value;
  }

  /** The peer lives. */
  heard(): void {
    this.alive = true;
    this.pinged = false;
  }

  /** A frame has come whole. */
  taken(): void {
    this.heard();
    this.#bytesTaken = (this.#stream as Socket).bytesRead;
  }

  /** Whether a hello of this many bytes is the connection's first frame, and short. To be asked once for each frame. */
  isGreeting(isHello: boolean, bytes: number): boolean {
    const isFirst = !this.#greeted;
    this.#greeted = true;
    return isFirst && isHello && bytes <= LIMITS.greetingBytes.value;
  }

  identify(client: string, session: CallerSession | null): void {
    const { id: connectionId, address, challenge } = this;
    const caller = { connectionId, address, challenge, client, session };
    this.#caller = { ...caller, payer: this.#budget.uncounted };
    this.#budget = this.#onIdentified(this);
    this.#caller = { ...caller, payer: session ? this.#budget : this.#budget.uncounted };
  }

  /** Sends one text frame. Frames of one turn of the event loop leave in one write. */
  send(text: string): void {
    if (!this.#maySend()) return;
    this.#socket.send(text);
    if (this.isOverBuffered) this.#socket.terminate();
  }

  /** Sends one text frame as two fragments. The bytes of the first are not copied, so many connections can share them. */
  sendInHalves(first: Buffer, second: string): void {
    if (!this.#maySend()) return;
    this.#socket.send(first, { binary: false, fin: false });
    this.#socket.send(second);
    if (this.isOverBuffered) this.#socket.terminate();
  }

  #maySend(): boolean {
    if (this.closing || this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#corked) return true;
    this.#corked = true;
    this.#stream.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
    return true;
  }

  /** Whether so much waits for this peer that what it can ask for should not be sent besides. */
  get isSlow(): boolean {
    return this.#socket.bufferedAmount > LIMITS.slowBytes.value;
  }

  /** Calls `then` once everything is read that waits for this peer now; never, if the connection ends before. */
  onceRead(then: () => void): void {
    this.#stream.once('drain', then);
  }

  /** Whether more waits for this peer than may. */
  get isOverBuffered(): boolean {
    const most = this.#caller?.session ? LIMITS.bufferedBytes : LIMITS.strangerBufferedBytes;
    return this.#socket.bufferedAmount > most.value;
  }

  /** No more frames are read until `resume` was called as often. */
  pause(): void {
    if (++this.#pauses === 1) this.#socket.pause();
  }

  resume(): void {
    if (--this.#pauses === 0) this.#socket.resume();
  }

  /** No more frames are read for a while. Milliseconds. */
  pauseFor(ms: number): void {
    if (this.#pauses > 0) return;
    this.pause();
    setTimeout(() => this.resume(), ms).unref();
  }

  /**
   * Takes a frame: now, or if whoever it counts for has had their turn of the event loop, in a later one, in order. No
   * more are read until then.
   */
  inTurn(take: () => void): void {
    if (this.#deferred.length === 0 && !this.#mustWait) return take();
    if (this.#deferred.push(take) > 1) return;
    this.pause();
    this.#budget.later(() => this.#catchUp());
  }

  /** The first frame waits for no crowd: it may be the hello of somebody who comes back with a session. */
  get #mustWait(): boolean {
    return this.#budget.hadItsTurn || (this.#greeted && this.#budget.crowdHadItsTurn);
  }

  #catchUp(): void {
    while (!this.#mustWait) {
      const take = this.#deferred.shift();
      if (!take) return this.resume();
      take();
    }
    this.#budget.later(() => this.#catchUp());
  }

  ping(): void {
    this.pinged = true;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** Answers a ping (RFC 6455 section 5.5.3). */
  pong(data: Buffer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.pong(data);
  }

  /** Starts the closing handshake; the socket is cut if the peer does not answer in a few seconds. */
  close(code: number, reason: string): void {
    if (this.closing) return;
    this.closing = true;
    this.#socket.resume();
    this.#socket.close(code, reason);
    this.#cutSoon();
  }

  /** The peer broke the protocol; ws has begun to close. */
  abandon(): void {
    this.closing = true;
    this.#cutSoon();
  }

  terminate(): void {
    this.closing = true;
    this.#socket.terminate();
  }

  #cutSoon(): void {
    setTimeout(() => this.#socket.terminate(), 3000).unref();
  }
}
