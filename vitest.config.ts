import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

/** Property tests and tests with a real server share two cores with everything else: a slow machine is no failure. */
const patience = { testTimeout: 30_000, hookTimeout: 60_000 };

function onNode(name: string) {
  return { test: { name, environment: 'node', include: [`${name}/**/*.test.{ts,mjs}`], ...patience } };
}

export default defineConfig({
  test: {
    projects: [
      ...['protocol', 'crypto', 'server', 'electron', 'scripts', 'bench'].map(onNode),
      {
        plugins: [svelte({ configFile: false })],
        test: {
          name: 'renderer',
          environment: fileURLToPath(new URL('scripts/lib/vitest-environment.mjs', import.meta.url)),
          include: ['renderer/**/*.test.ts'],
          // One copy of Svelte: left to Node, half of it would load a second time.
          server: { deps: { inline: [/^svelte/, /node_modules\/svelte\//] } },
          ...patience,
        },
      },
    ],
  },
});
