import { Agent, get } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIMITS } from '../http/limits.ts';
import { startServerProcess, type ServerProcess } from '../testing/server-process.ts';

/*
 * The limits that keep floods out let an office in: a thousand people behind one address open the app for the first time
 * at the same moment, with six connections each, as browsers do. The limits are those of production.
 */

const PEOPLE = 1000;
const CONNECTIONS = 6;
/** The page, its scripts, style and font; a first visit asked for 32 when this was written. */
const FILES = 40;

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'teahouse-morning-'));
  const [webRoot, data] = [join(folder, 'web'), join(folder, 'data')];
  await mkdir(join(webRoot, 'assets'), { recursive: true });
  await mkdir(data);
  await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>Teahouse</title>');
  for (let i = 1; i < FILES; i++) await writeFile(join(webRoot, 'assets', `part-${i}.js`), 'x'.repeat(3000));
  server = await startServerProcess(data, { TEAHOUSE_LOG_LEVEL: 'error', TEAHOUSE_WEB_ROOT: webRoot });
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

it('a thousand people behind one address load the app at once', { timeout: 300_000 }, async () => {
  expect(PEOPLE * FILES, 'with room for who loads it again').toBeLessThan(LIMITS.requestsOfAddressAtOnce.value * 0.7);
  const outcomes = new Map<string, number>();
  await Promise.all(
    Array.from({ length: PEOPLE }, async () => {
      for (const outcome of await openApp()) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
  );
  expect(Object.fromEntries(outcomes)).toEqual({ 200: PEOPLE * FILES });
  expect((await fetch(`${server.base}/healthz`)).status).toBe(200);
  expect(server.output.log).toBe('');
});

/** What came of each request of one browser: a status, or an error's code. */
async function openApp(): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const page = await load(agent, '/');
  const rest = await Promise.all(Array.from({ length: FILES - 1 }, (_, i) => load(agent, `/assets/part-${i + 1}.js`)));
  // Its connections stay open for a while, as a browser's do.
  setTimeout(() => agent.destroy(), LIMITS.keepAliveMs.value).unref();
  return [page, ...rest];
}

function load(agent: Agent, path: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(server.base + path, { agent }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.complete ? String(response.statusCode) : 'cut off'));
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      // A kept connection that the server closed meanwhile: browsers ask again.
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(load(agent, path));
      else resolve(error.code ?? error.message);
    });
  });
}
