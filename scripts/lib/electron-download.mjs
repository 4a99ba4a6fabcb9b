import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { inRoot } from './paths.mjs';

const DEFAULT_MIRROR = 'https://github.com/electron/electron/releases/download/';
/** How long the download's host may take to answer at all. Milliseconds. */
const ANSWER_MS = 4000;

/**
 * Why the installers cannot be built here: they hold Electron, which electron-builder takes from its cache or downloads,
 * and gives up on after most of a minute.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string | undefined>} one sentence; undefined where nothing stands against it
 */
export async function electronProblem(env = process.env) {
  const version = wantedVersion();
  if (isCached(version, env)) return undefined;
  // Behind a proxy the download may work where this program's own question would not.
  if (env['HTTPS_PROXY'] || env['https_proxy'] || env['ALL_PROXY'] || env['all_proxy']) return undefined;
  const mirror = env['ELECTRON_MIRROR'] ?? env['npm_config_electron_mirror'] ?? DEFAULT_MIRROR;
  if (await answers(mirror)) return undefined;
  const host = URL.canParse(mirror) ? new URL(mirror).host : 'its download address';
  return `The installers hold Electron ${version}, which is not on this machine, and ${host} cannot be reached from here.`;
}

function wantedVersion() {
  const { devDependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return /** @type {string} */ (devDependencies['electron']);
}

/** @param {string} version @param {NodeJS.ProcessEnv} env */
function isCached(version, env) {
  try {
    const found = readdirSync(cacheFolder(env), { recursive: true });
    return found.some((name) => String(name).includes(`electron-v${version}-`) && String(name).endsWith('.zip'));
  } catch {
    return false;
  }
}

/** Where @electron/get keeps what it downloaded. @param {NodeJS.ProcessEnv} env */
function cacheFolder(env) {
  const chosen = env['electron_config_cache'] ?? env['ELECTRON_CACHE'];
  if (chosen) return chosen;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'electron');
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? homedir(), 'electron', 'Cache');
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'electron');
}

/** @param {string} url */
async function answers(url) {
  try {
    await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    return true;
  } catch {
    return false;
  }
}
