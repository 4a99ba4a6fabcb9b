import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** Changes a frame of the server on its way to the client; `asked` is the method that it answers, if it is an answer. */
export type Alter = (frame: unknown, asked?: string) => unknown;

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A real server that turns hostile: a line to it on which every frame for the client can be altered. */
export class HostileLine {
  readonly #sockets: WebSocketServer;
  /** The real server's origin. One that is to be known by the line's is started after the line. */
  server: string;
  alter: Alter = (frame) => frame;
  /** Frames of clients so far. */
  asked = 0;
  /** False: no stream is resumed, so that a client that comes back asks for everything anew. */
  resumes = true;

  private constructor(sockets: WebSocketServer, server: string) {
    this.#sockets = sockets;
    this.server = server;
    sockets.on('connection', (client, { headers }) => this.#accept(client, headers.host ?? ''));
  }

  static async to(serverOrigin = ''): Promise<HostileLine> {
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

  /** `host` is what the client calls the server. */
  #accept(client: WebSocket, host: string): void {
    const server = new WebSocket(`${this.server.replace('http', 'ws')}/ws`, { headers: { host } });
    const waiting: string[] = [];
    const methods = new Map<number, string>();
    server.on('open', () => {
      for (const text of waiting.splice(0)) server.send(text);
    });
    client.on('message', (data) => {
      this.asked += 1;
      const request = JSON.parse(String(data)) as Request;
      methods.set(request.id, request.method);
      if (!this.resumes) delete request.params['resume'];
      const text = JSON.stringify(request);
      if (server.readyState === WebSocket.OPEN) server.send(text);
      else waiting.push(text);
    });
    server.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { readonly id?: number };
      client.send(JSON.stringify(this.alter(frame, methods.get(frame.id ?? 0))));
    });
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
