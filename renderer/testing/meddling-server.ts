import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

type Frame = Record<string, unknown>;

/**
 * Stands between a client and a real server, as a hostile server would: it passes everything on, and tells events of its
 * own besides, numbered as if they were the server's.
 */
export class MeddlingServer {
  readonly #sockets: WebSocketServer;
  readonly #target: string;
  #client: WebSocket | null = null;
  #seq = 0;
  /** Connections so far. */
  connections = 0;

  private constructor(sockets: WebSocketServer, target: string) {
    this.#sockets = sockets;
    this.#target = target;
    sockets.on('connection', (client) => this.#accept(client));
  }

  /** `origin` is the real server's. */
  static async start(origin: string): Promise<MeddlingServer> {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    await once(sockets, 'listening');
    return new MeddlingServer(sockets, `${origin.replace(/^http/, 'ws')}/ws`);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#sockets.address() as AddressInfo).port}`;
  }

  tell(event: string, params: unknown): void {
    this.#client?.send(JSON.stringify({ event, params, seq: ++this.#seq }));
  }

  async close(): Promise<void> {
    this.#client?.terminate();
    this.#sockets.close();
    await once(this.#sockets, 'close');
  }

  #accept(client: WebSocket): void {
    this.connections++;
    this.#client = client;
    const server = new WebSocket(this.#target);
    const opened = once(server, 'open');
    client.on('message', (data: Buffer) => {
      const request = JSON.parse(data.toString()) as { method: string; params: Frame };
      // The numbers differ from the server's, so nothing is resumed.
      if (request.method === 'hello') delete request.params['resume'];
      void opened.then(() => server.send(JSON.stringify(request)));
    });
    server.on('message', (data: Buffer) => this.#passOn(client, JSON.parse(data.toString()) as Frame));
    server.on('error', () => client.terminate());
    server.on('close', () => client.terminate());
    client.on('close', () => server.terminate());
    client.on('error', () => server.terminate());
  }

  #passOn(client: WebSocket, frame: Frame): void {
    if (client !== this.#client) return;
    const result = frame['result'] as Frame | undefined;
    if (result && 'challenge' in result) this.#seq = Number(result['seq']);
    if ('event' in frame) frame['seq'] = ++this.#seq;
    client.send(JSON.stringify(frame));
  }
}
