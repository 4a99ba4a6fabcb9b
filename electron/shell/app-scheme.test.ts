import fc from 'fast-check';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAppPage } from './app-page.ts';
import { APP_SCHEME_PRIVILEGES, createAppSchemeHandler, fileOf } from './app-scheme.ts';

let folder: string;
let serverOrigin: string | null = null;
let serve: (request: Request) => Promise<Response>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'app-scheme-'));
  const root = join(folder, 'renderer');
  await mkdir(join(root, 'assets'), { recursive: true });
  await writeFile(join(root, 'index.html'), '<!doctype html>');
  await writeFile(join(root, 'assets', 'a b.js'), 'export {};');
  await writeFile(join(root, 'assets', 'notes.txt'), 'not of the interface');
  await writeFile(join(folder, 'secret.json'), '{}');
  await mkdir(join(folder, 'renderer-beside'));
  await writeFile(join(folder, 'renderer-beside', 'secret.json'), '{}');
  serve = createAppSchemeHandler({
    root,
    page: createAppPage(null),
    readFile: async (path) => new Uint8Array(await readFile(path)),
    serverOrigin: () => serverOrigin,
  });
});
afterAll(() => rm(folder, { recursive: true }));

/** Without the normalisation that `new Request` would do to a path: the handler must not depend on it. */
function request(url: string, method = 'GET'): Request {
  return { url, method } as Request;
}

describe('the app scheme', () => {
  it('has an origin with the rights of https, and keeps compiled scripts', () => {
    expect(APP_SCHEME_PRIVILEGES).toEqual({
      scheme: 'app',
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    });
  });

  it('serves the interface with its content types', async () => {
    for (const path of ['', '/', '/index.html', '/?x', '/#/chats']) {
      const page = await serve(request(`app://teahouse${path}`));
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await page.text()).toBe('<!doctype html>');
    }
    const script = await serve(request('app://teahouse/assets/a%20b.js'));
    expect([script.status, script.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  });

  it('answers HEAD without a body, and refuses other methods', async () => {
    const head = await serve(request('app://teahouse/', 'HEAD'));
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await serve(request('app://teahouse/', method))).status).toBe(405);
    }
  });

  it.each([
    'app://teahouse/../secret.json',
    'app://teahouse/%2e%2e/secret.json',
    'app://teahouse/..%2fsecret.json',
    'app://teahouse/assets/..%2f..%2fsecret.json',
    'app://teahouse/..%5csecret.json',
    'app://teahouse/assets\\..\\..\\secret.json',
    'app://teahouse/%2e%2e/renderer-beside/secret.json',
    'app://teahouse//etc/passwd',
    'app://teahouse/C:/secret.json',
    'app://teahouse/index.html%00.js',
    'app://teahouse/%',
    'app://teahouse/assets',
    'app://teahouse/assets/',
    'app://teahouse/assets/notes.txt',
    'app://teahouse/missing.js',
    'app://other/index.html',
    'app://user@teahouse/index.html',
    'app://teahouse:1/index.html',
    'https://teahouse/index.html',
    'file:///index.html',
    'nonsense',
  ])('refuses %s', async (url) => {
    const answer = await serve(request(url));
    expect([answer.status, await answer.text()]).toEqual([404, '']);
  });

  it('names no file outside of its folder, whatever is asked', () => {
    const root = join(sep, 'srv', 'renderer');
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('..', '.', '/', '\\', '%2e%2e', '%2f', '%5c', '%00', '//', ':'),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const file = fileOf(`app://teahouse/${parts.join('')}`, root);
        expect(file === null || file.startsWith(root + sep)).toBe(true);
      }),
    );
  });

  it('carries the security headers on every answer, with the server of the moment', async () => {
    serverOrigin = null;
    const before = await serve(request('app://teahouse/'));
    expect(before.headers.get('content-security-policy')).toContain("connect-src 'self';");
    serverOrigin = 'https://tea.example.org:8443';
    for (const url of ['app://teahouse/', 'app://teahouse/missing.js']) {
      const { headers } = await serve(request(url));
      expect(headers.get('content-security-policy')).toContain(
        "connect-src 'self' https://tea.example.org:8443 wss://tea.example.org:8443;",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('permissions-policy')).toMatch(/camera=\(self\).*geolocation=\(\)/);
    }
  });
});
