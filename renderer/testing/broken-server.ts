import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { RequestFrame } from '../../protocol/frames.ts';

export const STREAM = '3f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001';
export const USER = '9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002';

type Answer = { readonly result: unknown } | { readonly error: unknown } | 'silence';

/** One socket of the broken server, with what it was asked. */
export interface Line {
  readonly socket: WebSocket;
  readonly asked: RequestFrame[];
  event(event: string, params: unknown, seq: number): void;
}

/** A WebSocket server that answers as a test says: well, wrongly, late or never. */
export class BrokenServer {
  readonly lines: Line[] = [];
  /** How each method is answered; `hello` has a usable answer to begin with. */
  readonly answers = new Map<string, (request: RequestFrame, line: Line) => Answer>();
  readonly #sockets: WebSocketServer;

  private constructor(sockets: WebSocketServer) {
    this.#sockets = sockets;
    this.answers.set('hello', () => ({ result: welcome() }));
    sockets.on('connection', (socket) => this.#accept(socket));
  }

  static async start(): Promise<BrokenServer> {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    await once(sockets, 'listening');
    return new BrokenServer(sockets);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#sockets.address() as AddressInfo).port}`;
  }

  /** The newest connection. */
  get line(): Line {
    const line = this.lines.at(-1);
    if (line === undefined) throw new Error('nobody has connected');
    return line;
  }

  async close(): Promise<void> {
    for (const { socket } of this.lines) socket.terminate();
    this.#sockets.close();
    await once(this.#sockets, 'close');
  }

  #accept(socket: WebSocket): void {
    const line: Line = {
      socket,
      asked: [],
      event: (event, params, seq) => socket.send(JSON.stringify({ event, params, seq })),
    };
    this.lines.push(line);
    socket.on('message', (data) => {
      const request = RequestFrame.parse(JSON.parse(String(data)));
      line.asked.push(request);
      const answer = this.answers.get(request.method)?.(request, line) ?? 'silence';
      if (answer !== 'silence') socket.send(JSON.stringify({ id: request.id, ...answer }));
    });
  }
}

/** A hello's answer. */
export function welcome(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    protocol: 1,
    server: { version: '0.1.0', organisation: 'Test', time: 0 },
    challenge: Buffer.alloc(32).toString('base64'),
    account: { userId: USER, username: 'ada', displayName: 'Ada', role: 'member' },
    deviceId: 1,
    stream: STREAM,
    seq: 0,
    resumed: false,
    ...change,
  };
}
