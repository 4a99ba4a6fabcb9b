import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Ends a connection on which a request comes before the one ahead of it is answered (pipelining, RFC 9112 section 9.3.2).
 * No browser does so and no proxy passes it on, and thousands of requests in one packet would be answered in one turn of
 * the event loop.
 */
export function oneAtATime(server: Server): void {
  const listeners = server.listeners('request') as Answer[];
  const busy = new WeakSet<Socket>();
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { socket } = request;
    // What came in the same packet is still read.
    if (socket.destroyed) return;

    if (busy.has(socket)) return void socket.destroy();
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
    for (const answer of listeners) answer(request, response);
  });
}
