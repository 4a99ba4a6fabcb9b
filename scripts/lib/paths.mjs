import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param {...string} parts */
export const inRoot = (...parts) => join(root, ...parts);

/**
 * The user's cache folder for what is worth keeping between clones (XDG Base Directory Specification; on Windows and
 * macOS the system's own place).
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @param {NodeJS.Platform} [platform]
 */
export function cacheFolder(env = process.env, platform = process.platform) {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? homedir();
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'teahouse');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'teahouse', 'cache');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'teahouse');
  return join(home, '.cache', 'teahouse');
}
