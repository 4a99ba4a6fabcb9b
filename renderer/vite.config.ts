import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** While Vite serves the client (`npm run dev`): its port, and the server that answers what is no page. */
const port = Number(process.env['TEAHOUSE_DEV_PORT'] ?? 5173);
const server = process.env['TEAHOUSE_DEV_SERVER'] ?? 'http://127.0.0.1:8420';

/**
 * The user interface, built once and served twice: by the server to browsers and by the desktop shell under `app://`.
 * So every address in it is relative.
 */
export default defineConfig({
  root: here,
  base: './',
  plugins: [svelte({ configFile: false })],
  define: { 'import.meta.env.TEAHOUSE_VERSION': JSON.stringify(version) },
  worker: { format: 'es' },
  build: {
    target: 'chrome156',
    outDir: fileURLToPath(new URL('../out/renderer', import.meta.url)),
    emptyOutDir: true,
    sourcemap: true,
    // Few files: what several pages use travels together, and all styles do, instead of some 30 small requests.
    cssCodeSplit: false,
    rollupOptions: { output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] } } },
  },
  server: {
    port,
    strictPort: true,
    proxy: {
      '/ws': { target: server, ws: true },
      '/healthz': server,
    },
  },
});
