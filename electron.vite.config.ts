import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'electron-vite';
import rendererConfig from './renderer/vite.config.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const external = ['electron', /^electron\//, /^node:/, ...builtinModules];

// Everything else is bundled, so that the installer ships no node_modules.
// The targets are written out because electron-vite knows Electron's versions only up to 44.
// It takes only Node's for the preload, too.
export default defineConfig({
  main: {
    build: {
      externalizeDeps: false,
      target: 'node24',
      outDir: path('out/main'),
      rollupOptions: {
        input: path('electron/main.ts'),
        external,
        output: { format: 'es', entryFileNames: '[name].js' },
      },
    },
  },
  preload: {
    build: {
      externalizeDeps: false,
      target: 'node24',
      outDir: path('out/preload'),
      // A sandboxed preload cannot load an ES module.
      rollupOptions: {
        input: path('electron/preload.ts'),
        external,
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    ...rendererConfig,
    build: { ...rendererConfig.build, rollupOptions: { input: path('renderer/index.html') } },
  },
});
