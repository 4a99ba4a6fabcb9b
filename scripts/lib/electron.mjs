import { accessSync, constants, readFileSync } from 'node:fs';
import process from 'node:process';
import { inRoot } from './paths.mjs';

const folder = inRoot('node_modules', 'electron');

/**
 * Electron's executable, found by its files: asking the package itself would download what is missing.
 *
 * @returns {string | undefined} its path; undefined when it is missing or of another version than the package
 */
export function findElectron() {
  try {
    const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const installed = readFileSync(`${folder}/dist/version`, 'utf8').trim().replace(/^v/, '');
    const executable = `${folder}/dist/${readFileSync(`${folder}/path.txt`, 'utf8')}`;
    accessSync(executable, constants.X_OK);
    return installed === version ? executable : undefined;
  } catch {
    return undefined;
  }
}

/** @param {NodeJS.ProcessEnv} [env] */
export function hasDisplay(env = process.env, platform = process.platform) {
  return platform !== 'linux' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}
