import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { chatSendName, RelayClient } from './relay-client.ts';
import { percentile } from './statistics.ts';

/** What relay.ts asks of this process, which plays all the clients. */
export type Order =
  | {
      readonly kind: 'echo';
      readonly url: string;
      readonly devices: number;
      readonly seconds: number;
      readonly payloadBytes: number;
    }
  | {
      readonly kind: 'join';
      readonly base: string;
      readonly invitations: readonly string[];
      readonly payloadBytes: number;
    }
  | { readonly kind: 'flood'; readonly seconds: number }
  | { readonly kind: 'paced'; readonly seconds: number; readonly perSecond: number }
  | { readonly kind: 'leave' };
export interface Outcome {
  readonly perSecond: number;
  /** Milliseconds from send to delivery. */
  readonly p50: number;
  readonly p99: number;
}

const NOTHING: Outcome = { perSecond: 0, p50: 0, p99: 0 };
/** Requests that each device keeps waiting for an answer. */
const WINDOW = 32;

let clients: RelayClient[] = [];

process.on('message', (order: Order) => {
  obey(order).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

async function obey(order: Order): Promise<Outcome> {
  switch (order.kind) {
    case 'echo':
      return echo(order);
    case 'join':
      clients = await Promise.all(
        order.invitations.map((token) => RelayClient.join(order.base, token, order.payloadBytes)),
      );
      clients.forEach((client, index) => client.sendsTo(clients[(index + 1) % clients.length] ?? client));
      return NOTHING;
    case 'flood':
      return flood(order.seconds);
    case 'paced':
      return paced(order.seconds, order.perSecond);
    case 'leave':
      await Promise.all(clients.map((client) => client.close()));
      return NOTHING;
  }
}

/** Every device sends as fast as it is answered; then all must have arrived, and each once. */
async function flood(seconds: number): Promise<Outcome> {
  const started = performance.now();
  const until = started + seconds * 1000;
  for (const client of clients) {
    client.onAnswer = () => {
      if (performance.now() < until) client.send();
    };
    for (let i = 0; i < WINDOW; i++) client.send();
  }
  const count = await settled();
  return { ...NOTHING, perSecond: count / ((performance.now() - started) / 1000) };
}

/** The devices take turns to send at an even pace, well below what the relay can take. */
async function paced(seconds: number, perSecond: number): Promise<Outcome> {
  for (const client of clients) client.reset();
  const started = performance.now();
  let sent = 0;
  while (sent < seconds * perSecond) {
    const due = ((performance.now() - started) / 1000) * perSecond;
    for (; sent < due; sent++) clients[sent % clients.length]?.send();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await settled();
  const delays = clients.flatMap((client) => client.delays);
  return { perSecond, p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) };
}

/** Waits until every message is answered and delivered. Returns how many there were. */
async function settled(): Promise<number> {
  const sum = (read: (client: RelayClient) => number) => clients.reduce((total, client) => total + read(client), 0);
  const deadline = performance.now() + 60_000;
  while (
    sum((client) => client.answered) < sum((client) => client.sent) ||
    sum((client) => client.delivered) < sum((client) => client.sent)
  ) {
    if (performance.now() > deadline) throw new Error('messages were lost');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const count = sum((client) => client.sent);
  if (sum((client) => client.delivered) !== count) throw new Error('messages came twice');
  for (const client of clients) client.onAnswer = null;
  return count;
}

async function echo({ url, devices, seconds, payloadBytes }: Extract<Order, { kind: 'echo' }>): Promise<Outcome> {
  const frame = JSON.stringify({
    id: 1,
    method: chatSendName,
    params: { idempotencyId: randomUUID(), payload: randomBytes(payloadBytes).toString('base64') },
  });
  const sockets = await Promise.all(
    Array.from({ length: devices }, async () => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      await once(socket, 'open');
      return socket;
    }),
  );
  let count = 0;
  const started = performance.now();
  const until = started + seconds * 1000;
  for (const socket of sockets) {
    socket.on('message', () => {
      count++;
      if (performance.now() < until) socket.send(frame);
    });
    for (let i = 0; i < WINDOW; i++) socket.send(frame);
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  for (const socket of sockets) socket.terminate();
  return { ...NOTHING, perSecond: count / ((performance.now() - started) / 1000) };
}
