import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { nodePath } from '../lib/node24.mjs';
import { cacheFolder, inRoot } from '../lib/paths.mjs';
import { run, RunError } from '../lib/run.mjs';
import { BUILD_PACKAGES, buildWorker } from '../sfu-worker/build.mjs';
import { SetupError } from './setup-error.mjs';
import { hasApt, installPackages } from './system-packages.mjs';

const PROBE_MAY_LAST = 5_000;
const DOWNLOAD_MAY_LAST = 120_000;
/** How the worker ends when it is started without the version that its parent must name: proof that it loads and runs. */
const EXIT_WITHOUT_VERSION = 41;

const mediasoup = inRoot('node_modules', 'mediasoup');
const program = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';
/** Where mediasoup looks by itself, so that whatever starts the server finds its worker. */
const installed = join(mediasoup, 'worker', 'out', 'Release', program);

/** @type {import('./step.mjs').Step} */
export const sfuWorker = {
  name: 'Media worker',
  why: "the program that forwards a call's audio and video between its participants (mediasoup)",
  isDone: () => runs(process.env['MEDIASOUP_WORKER_BIN'] || installed),
  async run(context) {
    const named = process.env['MEDIASOUP_WORKER_BIN'];
    if (named) {
      throw new SetupError(
        `MEDIASOUP_WORKER_BIN names ${named}, which does not run as a media worker.`,
        'Correct it, or unset MEDIASOUP_WORKER_BIN and type the same command again.',
      );
    }
    const kept = cachedWorker();
    if (runs(kept)) return copyProgram(kept, installed);
    if (await download(context)) return copyProgram(installed, kept);
    await build(kept, context);
    copyProgram(kept, installed);
  },
};

/** Kept by version for the next clone. */
function cachedWorker() {
  const { version } = JSON.parse(readFileSync(join(mediasoup, 'package.json'), 'utf8'));
  return join(cacheFolder(), 'mediasoup-worker', `${version}-${process.platform}-${process.arch}`, program);
}

/** @param {string} path */
function runs(path) {
  return existsSync(path) && spawnSync(path, [], { env: {}, stdio: 'ignore' }).status === EXIT_WITHOUT_VERSION;
}

/**
 * By way of a second name, so that a stop half-way leaves no half program under the real one.
 *
 * @param {string} from
 * @param {string} to
 */
function copyProgram(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const unfinished = `${to}.${process.pid}`;
  copyFileSync(from, unfinished);
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, to);
}

/**
 * Tries the binary that mediasoup's authors publish for this version and system.
 *
 * @param {import('./step.mjs').StepContext} context
 */
async function download({ progress, note }) {
  progress.update("asking for mediasoup's prebuilt worker");
  if (await isReachable()) {
    // The script builds by itself what it cannot download, by means of Python; without Python it only downloads.
    const env = { ...process.env, PYTHON: 'false' };
    const options = { cwd: mediasoup, env, timeout: DOWNLOAD_MAY_LAST };
    await run(nodePath(), ['npm-scripts.mjs', 'postinstall'], options).catch(() => {});
    if (runs(installed)) return true;
  }
  note('The prebuilt worker cannot be had here, so it is built from its source: a few minutes, once.');
  return false;
}

async function isReachable() {
  const { repository } = JSON.parse(readFileSync(join(mediasoup, 'package.json'), 'utf8'));
  const source = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  const address = process.env['MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL'] || source;
  try {
    await fetch(address, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(PROBE_MAY_LAST) });
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} output
 * @param {import('./step.mjs').StepContext} context
 */
async function build(output, context) {
  if (!hasApt()) {
    throw new SetupError(
      "The media worker could not be downloaded, and its build here knows only Debian's and Ubuntu's packages.",
      'Build it as mediasoup describes (npm rebuild mediasoup --ignore-scripts=false --foreground-scripts),\n' +
        'or name a ready one in MEDIASOUP_WORKER_BIN; then type the same command again.',
    );
  }
  await installPackages(BUILD_PACKAGES, context);
  try {
    await buildWorker({ mediasoup, output, onProgress: (text) => context.progress.update(text) });
  } catch (error) {
    const detail = error instanceof RunError ? `${error.message}\n${error.excerpt}` : String(error);
    throw new SetupError(
      `The media worker did not compile: ${detail}`,
      'If memory ran out, close other programs and type the same command again; otherwise please report it.',
    );
  }
  if (runs(output)) return;
  throw new SetupError('The media worker was built, but does not run.', `To see why, type: ${output}`);
}
