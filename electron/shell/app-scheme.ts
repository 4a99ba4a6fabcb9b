import { extname, join, normalize, sep } from 'node:path';
import { APP_SCHEME } from './app-page.ts';
import type { AppPage } from './app-page.ts';
import { securityHeaders } from './content-security.ts';

/**
 * What `protocol.registerSchemesAsPrivileged` is given, before the app is ready: an origin of its own with the rights
 * of https (camera, WebCrypto, IndexedDB), and compiled scripts kept between starts.
 */
export const APP_SCHEME_PRIVILEGES = {
  scheme: APP_SCHEME,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
} as const;

/** Everything that the bundle may hold. A file of another kind is not served. */
const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.wav': 'audio/wav',
  '.map': 'application/json; charset=utf-8',
};

export interface AppSchemeOptions {
  /** The folder of the built interface. */
  readonly root: string;
  readonly page: AppPage;
  readonly readFile: (path: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Asked for every answer, since the policy names the server that the app belongs to. */
  readonly serverOrigin: () => string | null;
}

/** Answers requests to `app://teahouse/` from the bundled interface, and all others with a refusal. */
export function createAppSchemeHandler(options: AppSchemeOptions): (request: Request) => Promise<Response> {
  const { root, page, readFile, serverOrigin } = options;
  return async (request) => {
    const headers = securityHeaders(serverOrigin());
    const refuse = (status: number) => new Response(null, { status, headers });
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
    const file = page.owns(request.url) ? fileOf(request.url, root) : null;
    const contentType = file && CONTENT_TYPES[extname(file).toLowerCase()];
    if (!file || !contentType) return refuse(404);
    try {
      const body = await readFile(file);
      return new Response(request.method === 'HEAD' ? null : body, {
        headers: { ...headers, 'Content-Type': contentType },
      });
    } catch {
      return refuse(404);
    }
  };
}

/** The file that an address of the interface names; null if it would be outside of `root` in any way of reading it. */
export function fileOf(url: string, root: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(new URL(url).pathname);
  } catch {
    return null;
  }
  // Backslashes and drive letters are path syntax on Windows, a NUL ends a path below JavaScript.
  if (/[\0\\:]/.test(path) || path.split('/').includes('..')) return null;
  const base = normalize(root + sep);
  const file = join(base, path === '' || path === '/' ? 'index.html' : path);
  return file.startsWith(base) && file !== base ? file : null;
}
