import type { FastifyInstance } from 'fastify';

/** Says whether a part can do its work; rejects or answers false if not. */
export type ReadinessCheck = () => Promise<boolean>;

/** Longest time that a check may take. Milliseconds. */
const CHECK_MS = 2000;
/** How long an answer serves those who ask after it. Milliseconds. */
const SHARED_MS = 250;

/**
 * /healthz: the process answers. /readyz: it can serve, so a load balancer may send people here; `warnings` names what it
 * cannot do meanwhile. Without space for messages it is ready: people must reach it to fetch theirs, which frees space.
 */
export function healthRoutes(
  app: FastifyInstance,
  checks: Readonly<Record<string, ReadinessCheck>>,
  warnings: () => readonly string[],
): void {
  app.get('/healthz', async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  const failingNow = shared(() => failingOf(checks));
  app.get('/readyz', async (_, reply) => {
    const failing = await failingNow();
    const ready = failing.length === 0;
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(ready ? { status: 'ready', ...warningsNow(warnings()) } : { status: 'not ready', failing });
  });
}

async function failingOf(checks: Readonly<Record<string, ReadinessCheck>>): Promise<readonly string[]> {
  const entries = Object.entries(checks);
  const results = await Promise.all(entries.map(([, check]) => passes(check)));
  return entries.map(([name]) => name).filter((_, index) => !results[index]);
}

/**
 * Whoever asks while a question is under way, or within a moment after its answer, gets that answer: anybody may ask, and
 * the database must not pay for each.
 */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let [answer, until]: [Promise<T> | null, number] = [null, 0];
  return () => {
    if (answer !== null && performance.now() < until) return answer;
    until = Infinity;
    return (answer = ask().finally(() => (until = performance.now() + SHARED_MS)));
  };
}

function warningsNow(warnings: readonly string[]): { warnings?: readonly string[] } {
  return warnings.length > 0 ? { warnings } : {};
}

async function passes(check: ReadinessCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
