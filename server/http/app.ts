import type { IncomingMessage } from 'node:http';
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Log } from '../log.ts';
import { healthRoutes, type ReadinessCheck } from './health.ts';
import { LIMITS } from './limits.ts';
import { metricsRoute, type Metrics } from './metrics.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { limitRequests } from './request-limit.ts';
import { securityHeaders } from './security.ts';
import { webClient } from './web-client.ts';

export interface HttpOptions {
  readonly log: Log;
  readonly webRoot: string;
  readonly https: boolean;
  /** Whether people come through a proxy, so that a peer on this machine need not be from this machine. */
  readonly behindProxy: boolean;
  readonly metrics: Metrics;
  readonly metricsToken: string | undefined;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** What the server cannot do meanwhile, though it is ready. */
  readonly warnings?: () => readonly string[];
  /** Whether the request names a host that this server answers for. */
  readonly isHostAllowed: (request: IncomingMessage) => boolean;
  /** Whom a request counts for. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** Widens what an address may ask for; 1 in production. */
  readonly requestFactor: number;
}

/** The HTTP side: the web client, health and metrics. Everything else goes over the WebSocket. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = options.log;
  const app = fastify({
    loggerInstance,
    // A request line may hold what somebody typed; counts are in the metrics.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.bodyBytes.value,
    requestTimeout: LIMITS.requestMs.value,
    connectionTimeout: LIMITS.idleMs.value,
    keepAliveTimeout: LIMITS.keepAliveMs.value,
    maxRequestsPerSocket: LIMITS.requestsPerSocket.value,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: LIMITS.headerBytes.value,
      headersTimeout: LIMITS.headerMs.value,
      connectionsCheckingInterval: LIMITS.checkMs.value,
    },
    routerOptions: { maxParamLength: 200 },
  });
  oneAtATime(app.server);
  limitRequests(app, options.addressOf, options.requestFactor);
  // Another name that leads here (DNS rebinding) would let another site's page read these answers.
  app.addHook('onRequest', async (request, reply) => {
    if (options.isHostAllowed(request.raw)) return;
    return reply.code(421).type('text/plain; charset=utf-8').send('This server does not answer for that name.\n');
  });
  app.setErrorHandler((error: { statusCode?: number }, _, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    if (status === 500) options.log.error({ err: error }, 'an HTTP request failed');
    return reply.code(status).send({ error: status === 500 ? 'internal' : 'invalid_request' });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).type('text/plain; charset=utf-8').send('Not found.\n'));
  await securityHeaders(app, options.https);
  healthRoutes(app, options.checks, options.warnings ?? (() => []));
  metricsRoute(app, options.metrics.registry, { token: options.metricsToken, behindProxy: options.behindProxy });
  await webClient(app, options.webRoot);
  return app;
}
