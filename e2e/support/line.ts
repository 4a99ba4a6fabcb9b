import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * One person's line to the server: a TCP relay that can be cut and restored. Chromium's own offline emulation leaves open
 * WebSockets alone; pulling this plug does not. Media travels beside it, over UDP.
 */
export class Line {
  readonly #relay: Server;
  readonly #sockets = new Set<Socket>();
  #up = true;
  readonly origin: string;

  private constructor(relay: Server, port: number) {
    this.#relay = relay;
    this.origin = `http://localhost:${port}`;
  }

  /** Opens a line from a port of its own to `serverPort` on this machine. */
  static async open(serverPort: number): Promise<Line> {
    const relay = createServer();
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const address = relay.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    const line = new Line(relay, address.port);
    relay.on('connection', (near) => line.#join(near, serverPort));
    return line;
  }

  #join(near: Socket, serverPort: number): void {
    if (!this.#up) {
      near.destroy();
      return;
    }
    const far = connect(serverPort, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** Breaks what is open; new connections are still taken. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks what is open and refuses what is new, until `restore`. */
  cut(): void {
    this.#up = false;
    this.drop();
  }

  restore(): void {
    this.#up = true;
  }

  async close(): Promise<void> {
    this.cut();
    this.#relay.close();
    await once(this.#relay, 'close');
  }
}
