import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import process from 'node:process';
import { run, RunError } from '../lib/run.mjs';
import { SetupError } from './setup-error.mjs';

/** Whether this system installs packages as Debian does. */
export function hasApt() {
  return process.platform === 'linux' && onPath('apt-get');
}

/**
 * Installs those of Debian's packages that are missing.
 *
 * @param {string[]} packages
 * @param {import('./step.mjs').StepContext} context
 * @throws {SetupError}
 */
export async function installPackages(packages, { progress, note }) {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const install = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...missing];
  note(`installs Debian's packages ${missing.join(', ')}`);
  try {
    if (!hasPackageLists()) await apt(['update'], 'reading the package lists', progress);
    await apt(install, 'apt-get install', progress).catch(async () => {
      // Lists that are older than the mirror name files that are gone from it.
      await apt(['update'], 'reading the package lists again', progress);
      await apt(install, 'apt-get install', progress);
    });
  } catch (error) {
    const detail = error instanceof RunError ? `${error.message}\n${error.excerpt}` : String(error);
    const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`;
    throw new SetupError(
      `Debian's packages could not be installed: ${detail}`,
      `As root, type:\n  ${command}\nthen type the same command again.`,
    );
  }
}

/** @param {string} name */
function isInstalled(name) {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return status === 0 && stdout.trim() === 'installed';
}

function hasPackageLists() {
  const folder = '/var/lib/apt/lists';
  return existsSync(folder) && readdirSync(folder).some((file) => /_Packages(\.\w+)?$/.test(file));
}

/**
 * @param {string[]} args
 * @param {string} what
 * @param {import('../lib/say.mjs').Progress} progress
 */
async function apt(args, what, progress) {
  progress.update(what);
  const [command, ...rest] = [...asRoot(), 'apt-get', '-q', ...args];
  /** @param {string} line */
  const onLine = (line) => {
    const step = /^(Get:\d+|Unpacking|Setting up) \S+.*?(?=\s\(|$)/.exec(line);
    if (step) progress.update(step[0].slice(0, 70));
  };
  await run(/** @type {string} */ (command), rest, { env: { ...process.env, LC_ALL: 'C.UTF-8' }, onLine });
}

/** What goes before a command that only root may run. sudo asks for a password only where there is a terminal to ask on. */
function asRoot() {
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  if (process.getuid?.() === 0) return environment;
  if (!onPath('sudo')) throw new Error('this needs root, and there is no sudo');
  return ['sudo', ...(process.stdin.isTTY ? [] : ['-n']), ...environment];
}

/** @param {string} command */
function onPath(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}
