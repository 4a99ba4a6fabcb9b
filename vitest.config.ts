import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Property tests and tests with a real server share two cores with everything else: a slow machine is no failure. */
const patience = { testTimeout: 30_000, hookTimeout: 60_000 };

function onNode(name: string) {
  return { test: { name, environment: 'node', include: [`${name}/**/*.test.{ts,mjs}`], ...patience } };
}

/**
 * Controllers are tested in Node, with Node's own ws and SQLite at hand, so packages resolve as Node resolves them;
 * of Svelte alone they need the browser's half, since the half for rendering on a server never runs an effect.
 */
const browserSvelte: Plugin = {
  name: 'teahouse:browser-svelte',
  enforce: 'pre',
  async resolveId(source, importer) {
    if (!/^svelte(\/|$)/.test(source)) return null;
    const found = await this.resolve(source, importer, { skipSelf: true });
    return found && { ...found, id: found.id.replace(/index-server\.js$/, 'index-client.js') };
  },
};

export default defineConfig({
  test: {
    projects: [
      ...['protocol', 'crypto', 'server', 'electron', 'scripts', 'bench'].map(onNode),
      {
        plugins: [browserSvelte, svelte({ configFile: false })],
        test: {
          name: 'renderer',
          environment: fileURLToPath(new URL('scripts/lib/vitest-environment.mjs', import.meta.url)),
          include: ['renderer/**/*.test.ts'],
          // One copy of Svelte: what Node loads by itself would be a second one, of the server's half.
          server: { deps: { inline: [/node_modules\/svelte\//] } },
          ...patience,
        },
      },
    ],
  },
});
