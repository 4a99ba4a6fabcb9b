import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** The page's script with mediasoup-client in one file. */
export async function bundleMediaPage(): Promise<string> {
  const entry = fileURLToPath(new URL('page.ts', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'page' } },
  });
  const outputs = Array.isArray(built) ? built : [built];
  for (const one of outputs) {
    if ('output' in one) return one.output[0].code;
  }
  throw new Error('the bundler gave nothing');
}
