import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { systemEnvironment } from '../lib/node24.mjs';
import { inRoot, root } from '../lib/paths.mjs';
import { run, RunError } from '../lib/run.mjs';
import { SetupError } from './setup-error.mjs';

/** @typedef {Record<string, { version?: string, optional?: boolean, link?: boolean }>} LockedPackages */

/**
 * Whether what is installed is what the lock file asks for. Packages for other systems are optional and may be missing.
 *
 * @param {LockedPackages} wanted `packages` of package-lock.json
 * @param {LockedPackages} installed `packages` of node_modules/.package-lock.json, which npm keeps beside what it installed
 */
export function matchesLock(wanted, installed) {
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (path === '' || link) return true;
    const found = installed[path];
    return found ? found.version === version : optional === true;
  });
}

/** @param {string} path */
function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

function isInstalled() {
  const installed = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = packagesOf(inRoot('package-lock.json'));
  const folders = Object.keys(wanted).filter((path) => path !== '' && !wanted[path].optional);
  return matchesLock(wanted, packagesOf(installed)) && folders.every((path) => existsSync(inRoot(path)));
}

/** @type {import('./step.mjs').Step} */
export const dependencies = {
  name: 'Libraries',
  why: 'installs the npm packages that package-lock.json names, without running their scripts',
  isDone: isInstalled,
  async run({ progress }) {
    progress.update('npm ci');
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    try {
      await run('npm', args, { cwd: root, env: systemEnvironment(), shell: process.platform === 'win32' });
    } catch (error) {
      throw new SetupError(
        `npm could not install the libraries: ${reason(error)}`,
        'Check that this machine reaches its npm registry (npm ping), then type the same command again.',
      );
    }
  },
};

/** @param {unknown} error */
function reason(error) {
  return error instanceof RunError ? `${error.message}\n${error.excerpt}` : String(error);
}
