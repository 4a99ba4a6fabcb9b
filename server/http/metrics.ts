import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RequestObserver } from '../ws/dispatcher.ts';

/** What is read at the moment of a scrape. */
export interface Gauges {
  readonly connections: () => number;
  readonly strangers: () => number;
  readonly plainSockets: () => number;
  readonly requestsInFlight: () => number;
  readonly messagesWaiting: () => number;
  readonly rooms: () => number;
  readonly storageFull: () => number;
  readonly diskFree: () => number;
}

export interface Metrics extends RequestObserver {
  readonly registry: Registry;
  /** Counts an event that was too long for a frame. */
  eventLost(event: string): void;
  watch(gauges: Gauges): void;
}

/** Prometheus metrics of one server; the registry is its own, so that several servers may live in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'teahouse_requests_total',
    help: 'Requests by method and outcome (ok or an error code).',
    labelNames: ['method', 'outcome'] as const,
    registers: [registry],
  });
  const latency = new Histogram({
    name: 'teahouse_request_seconds',
    help: 'Time from a request’s frame to its answer.',
    labelNames: ['method'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  const lost = new Counter({
    name: 'teahouse_events_lost_total',
    help: 'Events that were too long for a frame; their clients fetched anew instead.',
    labelNames: ['event'] as const,
    registers: [registry],
  });
  // Looking a child up by its labels costs more than counting; both sets are small, since methods and codes are.
  const counts = new Map<string, Counter.Internal>();
  const latencies = new Map<string, Histogram.Internal<'method'>>();
  return {
    registry,
    observe(method, outcome, seconds) {
      let count = counts.get(`${method} ${outcome}`);
      if (!count) counts.set(`${method} ${outcome}`, (count = requests.labels(method, outcome)));
      count.inc();
      let delays = latencies.get(method);
      if (!delays) latencies.set(method, (delays = latency.labels(method)));
      delays.observe(seconds);
    },
    eventLost: (event) => lost.inc({ event }),
    watch(gauges) {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({
          name,
          help,
          registers: [registry],
          collect() {
            this.set(read());
          },
        });
      gauge('teahouse_connections', 'Open WebSocket connections.', gauges.connections);
      gauge('teahouse_strangers', 'Open WebSocket connections without a session.', gauges.strangers);
      gauge('teahouse_plain_sockets', 'Open TCP connections that are no WebSocket.', gauges.plainSockets);
      gauge('teahouse_requests_in_flight', 'Requests that wait for their answer.', gauges.requestsInFlight);
      gauge('teahouse_messages_waiting', 'Messages that wait to be written to the store.', gauges.messagesWaiting);
      gauge('teahouse_call_rooms', 'Calls that have a room on this server.', gauges.rooms);
      gauge('teahouse_storage_full', '1 while messages are refused for lack of space.', gauges.storageFull);
      gauge('teahouse_disk_free_bytes', 'Free space where the data folder is.', gauges.diskFree);
    },
  };
}

/**
 * Serves /metrics to this machine, and to whoever has the token. `behindProxy`: everybody seems to be this machine then, since
 * not every proxy says that it forwards, so the token alone opens.
 */
export function metricsRoute(
  app: FastifyInstance,
  registry: Registry,
  { token, behindProxy }: { readonly token: string | undefined; readonly behindProxy: boolean },
): void {
  app.get('/metrics', async (request, reply) => {
    if (!hasToken(request, token) && (behindProxy || !isLocal(request)))
      return reply.code(403).type('text/plain').send('Metrics are for this machine, or with a token.\n');
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  return token !== undefined && given !== undefined && isSame(given, token);
}

function isLocal(request: FastifyRequest): boolean {
  // A request that a proxy on this machine passes on comes from loopback too, but says that it was forwarded.
  const forwarded = request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined;
  const peer = request.socket.remoteAddress ?? '';
  return !forwarded && (peer === '::1' || /^(::ffff:)?127\./.test(peer));
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
