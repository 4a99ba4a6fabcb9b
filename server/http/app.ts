import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Log } from '../log.ts';
import { healthRoutes, type ReadinessCheck } from './health.ts';
import { metricsRoute, type Metrics } from './metrics.ts';
import { securityHeaders } from './security.ts';
import { webClient } from './web-client.ts';

export interface HttpOptions {
  readonly log: Log;
  readonly webRoot: string;
  readonly https: boolean;
  readonly metrics: Metrics;
  readonly metricsToken: string | undefined;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** What the server cannot do meanwhile, though it is ready. */
  readonly warnings?: () => readonly string[];
}

/** The HTTP side: the web client, health and metrics. Everything else goes over the WebSocket. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = options.log;
  const app = fastify({
    loggerInstance,
    // A request line may hold what somebody typed; counts are in the metrics.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
  });
  app.setErrorHandler((error: { statusCode?: number }, _, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    if (status === 500) options.log.error({ err: error }, 'an HTTP request failed');
    return reply.code(status).send({ error: status === 500 ? 'internal' : 'invalid_request' });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).type('text/plain; charset=utf-8').send('Not found.\n'));
  await securityHeaders(app, options.https);
  healthRoutes(app, options.checks, options.warnings ?? (() => []));
  metricsRoute(app, options.metrics.registry, { token: options.metricsToken, behindProxy: options.https });
  await webClient(app, options.webRoot);
  return app;
}
