import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** Stands between clients and a server, passes everything on as it is, and keeps what it heard. */
export class ListeningLine {
  readonly #sockets: WebSocketServer;
  readonly #target: string;
  /** Every frame, both ways. */
  readonly heard: string[] = [];

  private constructor(sockets: WebSocketServer, target: string) {
    this.#sockets = sockets;
    this.#target = target;
    sockets.on('connection', (client) => this.#accept(client));
  }

  /** `origin` is the real server's. */
  static async start(origin: string): Promise<ListeningLine> {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    await once(sockets, 'listening');
    return new ListeningLine(sockets, `${origin.replace(/^http/, 'ws')}/ws`);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#sockets.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    await once(this.#sockets, 'close');
  }

  #accept(client: WebSocket): void {
    const server = new WebSocket(this.#target);
    const opened = once(server, 'open');
    client.on('message', (data: Buffer) => {
      this.heard.push(data.toString());
      void opened.then(() => server.send(data.toString()));
    });
    server.on('message', (data: Buffer) => {
      this.heard.push(data.toString());
      client.send(data.toString());
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.terminate());
      one.on('close', () => other.terminate());
    }
  }
}
