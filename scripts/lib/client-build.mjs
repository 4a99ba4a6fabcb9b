import { fingerprint, whenStale } from './freshness.mjs';
import { inRoot, root } from './paths.mjs';
import { precompress } from './precompress.mjs';
import { say } from './say.mjs';
import { runTool } from './tools.mjs';

/** A build that failed; the tool has already said why. */
export class BuildError extends Error {}

const COMMON = ['protocol', 'package-lock.json', 'tsconfig.base.json'];
const RENDERER = ['renderer', 'crypto', ...COMMON];
const SHELL = ['electron', 'electron.vite.config.ts', ...COMMON];

/** @param {string} name */
const isBuilt = (name) => !name.endsWith('.test.ts');

const rendererStamp = inRoot('.cache', 'built', 'renderer');
const shellStamp = inRoot('.cache', 'built', 'shell');

/**
 * Builds the user interface that server and desktop app show, if its sources have changed.
 *
 * @throws {BuildError}
 */
export async function buildRenderer() {
  await whenStale({
    stamp: rendererStamp,
    sources: fingerprint(root, RENDERER, isBuilt),
    outputs: [inRoot('out', 'renderer', 'index.html')],
    async work() {
      say('Building the user interface, since its sources have changed.');
      await orThrow(runTool('vite', 'vite', ['build', '--config', 'renderer/vite.config.ts', '--logLevel', 'warn']));
      await precompress(inRoot('out', 'renderer'));
    },
  });
}

/**
 * Builds the desktop app with its user interface, if the sources of either have changed.
 *
 * @throws {BuildError}
 */
export async function buildDesktop() {
  const sources = fingerprint(root, [...new Set([...RENDERER, ...SHELL])], isBuilt);
  const work = async () => {
    say('Building the desktop app and its user interface, since their sources have changed.');
    await orThrow(runTool('electron-vite', 'electron-vite', ['build', '--logLevel', 'warn']));
    await precompress(inRoot('out', 'renderer'));
  };
  const outputs = ['main/main.js', 'preload/preload.cjs', 'renderer/index.html'].map((path) => inRoot('out', path));
  await whenStale({ stamp: shellStamp, sources, outputs, work });
  // The same user interface: what asks for it alone finds it built.
  await whenStale({
    stamp: rendererStamp,
    sources: fingerprint(root, RENDERER, isBuilt),
    outputs: [inRoot('out', 'renderer', 'index.html')],
    work: async () => {},
  });
}

/** @param {Promise<number>} running */
async function orThrow(running) {
  if ((await running) !== 0) throw new BuildError('the build failed');
}
