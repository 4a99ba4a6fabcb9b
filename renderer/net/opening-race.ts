export interface OpeningRaceOptions {
  readonly open: () => WebSocket;
  /**
   * After so many milliseconds without one that is open, another is begun beside those that are under way. Each gap is
   * twice as long as the one before, up to `longestGapMs`.
   */
  readonly gapMs: number;
  readonly longestGapMs: number;
  /** Most at once; the oldest is given up for a newer one. */
  readonly most: number;
  /** The first that is open. The others are closed, and the race is over. */
  readonly onOpen: (socket: WebSocket) => void;
  /** All have failed. The race is over. */
  readonly onFailed: () => void;
  /** A third or later one is begun, since none is open yet. */
  readonly onSlow: () => void;
}

/**
 * Opens a socket over a line that may swallow what is sent for a while. An attempt that takes long is not given up, since
 * it may be about to succeed; another is begun beside it.
 */
export class OpeningRace {
  readonly #options: OpeningRaceOptions;
  readonly #sockets = new Set<WebSocket>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  #gapMs: number;

  constructor(options: OpeningRaceOptions) {
    this.#options = options;
    this.#gapMs = options.gapMs;
    this.another();
  }

  /** Begins another at once, for example on another network. */
  another(): void {
    if (this.#over) return;
    const [oldest] = this.#sockets;
    if (oldest !== undefined && this.#sockets.size >= this.#options.most) {
      this.#sockets.delete(oldest);
      oldest.close();
    }
    const socket = this.#options.open();
    this.#sockets.add(socket);
    socket.addEventListener('open', () => this.#opened(socket));
    // What went wrong is not told to pages; `close` follows and is what counts.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => this.#closed(socket));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // One slow attempt is no news yet.
      if (this.#sockets.size > 1) this.#options.onSlow();
      this.another();
    }, this.#gapMs);
    this.#gapMs = Math.min(this.#gapMs * 2, this.#options.longestGapMs);
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  #opened(socket: WebSocket): void {
    if (this.#over || !this.#sockets.delete(socket)) return;
    this.cancel();
    this.#options.onOpen(socket);
  }

  #closed(socket: WebSocket): void {
    if (this.#over || !this.#sockets.delete(socket) || this.#sockets.size > 0) return;
    this.cancel();
    this.#options.onFailed();
  }
}
