import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** Changes a frame of the server on its way to the client. */
export type Alter = (frame: unknown) => unknown;

/** A real server that turns hostile: a line to it on which every frame for the client can be altered. */
export class HostileLine {
  readonly #sockets: WebSocketServer;
  readonly #server: string;
  alter: Alter = (frame) => frame;
  /** Frames of clients so far. */
  asked = 0;

  private constructor(sockets: WebSocketServer, server: string) {
    this.#sockets = sockets;
    this.#server = server;
    sockets.on('connection', (client) => this.#accept(client));
  }

  static async to(serverOrigin: string): Promise<HostileLine> {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    await once(sockets, 'listening');
    return new HostileLine(sockets, serverOrigin);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#sockets.address() as AddressInfo).port}`;
  }

  /** Every connection ends; clients come back by themselves. */
  interrupt(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  async close(): Promise<void> {
    this.interrupt();
    this.#sockets.close();
    await once(this.#sockets, 'close');
  }

  #accept(client: WebSocket): void {
    const server = new WebSocket(`${this.#server.replace('http', 'ws')}/ws`);
    const waiting: string[] = [];
    server.on('open', () => {
      for (const text of waiting.splice(0)) server.send(text);
    });
    client.on('message', (data) => {
      this.asked += 1;
      if (server.readyState === WebSocket.OPEN) server.send(String(data));
      else waiting.push(String(data));
    });
    server.on('message', (data) => client.send(JSON.stringify(this.alter(JSON.parse(String(data))))));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('close', () => other.terminate());
      one.on('error', () => other.terminate());
    }
  }
}

/** A copy of a frame in which every number of these names is another one, however deep it is. */
export function withNumbers(frame: unknown, names: ReadonlySet<string>, value: number): unknown {
  if (Array.isArray(frame)) return frame.map((item) => withNumbers(item, names, value));
  if (typeof frame !== 'object' || frame === null) return frame;
  return Object.fromEntries(
    Object.entries(frame).map(([name, held]) => [
      name,
      names.has(name) && typeof held === 'number' ? value : withNumbers(held, names, value),
    ]),
  );
}
