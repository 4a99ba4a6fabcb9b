import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const TOKEN = 'a-token-for-the-scraper';
let webRoot: string;
let server: TestServer;
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { headers });

beforeAll(async () => {
  webRoot = await mkdtemp(join(tmpdir(), 'teahouse-web-'));
  await mkdir(join(webRoot, 'assets'));
  await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>Teahouse</title>');
  await writeFile(join(webRoot, 'assets', 'main-3f2a.js'), 'export {};');
  await writeFile(join(webRoot, 'assets', 'main-3f2a.js.br'), brotliCompressSync('export {};'));
  server = await startTestServer({}, { TEAHOUSE_WEB_ROOT: webRoot, TEAHOUSE_METRICS_TOKEN: TOKEN });
});
afterAll(async () => {
  await server.dispose();
  await rm(webRoot, { recursive: true, force: true });
});

describe('the web client', () => {
  it('is served, the page asked for anew and hashed files kept for good', async () => {
    const page = await get('/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const script = await get('/assets/main-3f2a.js');
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(script.headers.get('content-type')).toMatch(/javascript/);
  });

  it('is sent compressed as it was built', async () => {
    const script = await get('/assets/main-3f2a.js', { 'accept-encoding': 'br' });
    expect(script.headers.get('content-encoding')).toBe('br');
    expect(await script.text()).toBe('export {};');
  });

  it.each(['/nothing.js', '/assets/../../package.json', '/%2e%2e/package.json', '/assets/'])(
    'holds nothing at %s',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBeGreaterThanOrEqual(403);
      expect(response.status).toBeLessThan(500);
      expect(await response.text()).not.toContain('"name"');
    },
  );

  it('says what to do where it is not built', async () => {
    const bare = await startTestServer({}, { TEAHOUSE_WEB_ROOT: join(webRoot, 'nowhere') });
    const response = await fetch(`http://127.0.0.1:${bare.port}/`);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build');
    await bare.dispose();
  });
});

describe('headers', () => {
  it('let the page run its own files only, and nobody frame it', async () => {
    for (const path of ['/', '/assets/main-3f2a.js', '/healthz', '/nothing']) {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(policy).not.toContain('*');
      expect(headers.get('permissions-policy')).toContain('camera=(self)');
      expect(headers.get('permissions-policy')).toContain('geolocation=()');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('ask for https for good only where the public address is https', async () => {
    expect((await get('/')).headers.get('strict-transport-security')).toBeNull();
    const secure = await startTestServer({}, { TEAHOUSE_ORIGIN: 'https://teahouse.example.org' });
    const { headers } = await fetch(`http://127.0.0.1:${secure.port}/healthz`);
    expect(headers.get('strict-transport-security')).toContain('max-age=31536000');
    await secure.dispose();
  });
});

describe('health', () => {
  it('answers, and is ready', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  it('is not ready when the store does not answer', async () => {
    const broken = await startTestServer();
    await broken.store.close();
    const response = await fetch(`http://127.0.0.1:${broken.port}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { status: 'not ready', failing: ['store'] }]);
    expect((await fetch(`http://127.0.0.1:${broken.port}/healthz`)).status).toBe(200);
    await broken.dispose();
  });
});

describe('metrics', () => {
  it('count requests by method and outcome', async () => {
    const client = await server.connect();
    await client.raw('accounts.sessions', {}).catch(() => null);
    await client.raw('nonsense-method', {}).catch(() => null);
    const text = await (await get('/metrics')).text();
    expect(text).toMatch(/^teahouse_requests_total\{method="hello",outcome="ok"\} [1-9]/m);
    expect(text).toMatch(/^teahouse_requests_total\{method="accounts.sessions",outcome="not_signed_in"\} 1$/m);
    expect(text).toMatch(/^teahouse_requests_total\{method="unknown",outcome="unknown_method"\} 1$/m);
    expect(text).toMatch(/^teahouse_connections 1$/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    expect(text).not.toContain('nonsense');
    await client.close();
  });

  it('are for this machine; with the token also through a proxy', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    expect((await get('/metrics', forwarded)).status).toBe(403);
    expect((await get('/metrics', { ...forwarded, authorization: 'Bearer wrong-wrong-wrong-wrong' })).status).toBe(403);
    expect((await get('/metrics', { ...forwarded, authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('are not for everybody behind a proxy that does not say that it forwards', async () => {
    const behind = { TEAHOUSE_TRUSTED_PROXIES: '127.0.0.1', TEAHOUSE_METRICS_TOKEN: TOKEN };
    const proxied = await startTestServer({}, behind);
    const scrape = (headers: Record<string, string>) => fetch(`http://127.0.0.1:${proxied.port}/metrics`, { headers });
    expect((await scrape({})).status).toBe(403);
    expect((await scrape({ authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    await proxied.dispose();
  });

  it('have as many series however many names people make up, and none of the names', async () => {
    const text = async () => (await get('/metrics')).text();
    const series = async () => new Set((await text()).split('\n').map((line) => line.split(' ')[0]));
    const made: string[] = [];
    const visit = async (turn: number) => {
      const { client, person } = await server.join();
      const name = `made-up-${turn}`;
      made.push(person.username, person.displayName, name);
      await client.raw(name, { [name]: name }).catch(() => null);
      await client.raw('contacts.search', { text: name, limit: 1, [name]: 1 }).catch(() => null);
      client.socket.send(name);
      await client.hello({ client: name });
      await get(`/${name}?${name}`);
      await client.close();
    };
    await visit(0);
    const before = await series();
    for (let turn = 1; turn < 20; turn++) await visit(turn);
    expect([...(await series())].filter((name) => !before.has(name))).toEqual([]);
    for (const name of made) expect(await text()).not.toContain(name);
  });
});
