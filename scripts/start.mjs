import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Children } from './lib/children.mjs';
import { BuildError, buildDesktop, buildRenderer } from './lib/client-build.mjs';
import { findElectron, hasDisplay } from './lib/electron.mjs';
import { nodePath, toolEnvironment } from './lib/node24.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { say } from './lib/say.mjs';
import { addressIn } from './lib/server-output.mjs';
import { delayUnless, supervise } from './lib/supervise.mjs';
import { setUp } from './setup/set-up.mjs';

const USAGE = `Usage: npm start -- [--data DIR] [--port N] [--host ADDRESS] [--origin URL] [--no-desktop]
Sets up what is missing, runs the Teahouse server, and opens the desktop app where there is a display for it.

  --data DIR       where accounts and encrypted messages are kept (TEAHOUSE_DATA; by default ./data)
  --port N         the port it answers on (TEAHOUSE_PORT)
  --host ADDRESS   the address it answers on (TEAHOUSE_HOST; by default this machine only)
  --origin URL     how browsers reach it, behind a proxy with a certificate (TEAHOUSE_ORIGIN)
  --no-desktop     do not open the desktop app`;

/** @param {string[]} args @returns {Promise<number>} the exit code */
async function main(args) {
  if (args.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const failed = await setUp();
  if (failed) return failed;
  const electron = args.includes('--no-desktop') || !hasDisplay() ? undefined : findElectron();
  await (electron ? buildDesktop() : buildRenderer());
  const serverArgs = args.filter((argument) => argument !== '--no-desktop');
  return await serve(serverArgs, electron);
}

/**
 * Runs the server, again if it ends with a fault, and beside it the desktop app, until the server ends for good.
 *
 * @param {string[]} serverArgs
 * @param {string | undefined} electron
 */
async function serve(serverArgs, electron) {
  const children = new Children();
  children.endOnSignal();
  let opened = false;
  /** @param {string} address */
  const open = (address) => {
    if (opened || children.isEnding) return;
    opened = true;
    if (electron) openDesktop(children, electron, address);
    else say(`To use it, open ${address} in a browser.`);
  };
  const code = await supervise(() => startServer(children, serverArgs, open), {
    isEnding: () => children.isEnding,
    say,
    wait: (ms) => delayUnless(ms, children.ending),
  });
  await children.end();
  return code;
}

/**
 * @param {Children} children
 * @param {string[]} args
 * @param {(address: string) => void} onAddress
 * @returns {import('./lib/supervise.mjs').Run}
 */
function startServer(children, args, onAddress) {
  const endWithParent = pathToFileURL(inRoot('scripts', 'lib', 'end-with-parent.mjs')).href;
  const nodeArgs = ['--disable-warning=ExperimentalWarning', '--import', endWithParent];
  const server = children.start(nodePath(), [...nodeArgs, inRoot('server', 'main.ts'), ...args], {
    cwd: process.cwd(),
    // Node keeps what it compiled, so the next start is faster and leaves less behind. Not in the system's temporary
    // folder, where others could put code of theirs.
    env: { ...toolEnvironment(), NODE_COMPILE_CACHE: inRoot('.cache', 'compiled') },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  server.stdout?.pipe(process.stdout, { end: false });
  let hasStarted = false;
  void addressIn(server).then((address) => {
    if (address === undefined) return;
    hasStarted = true;
    onAddress(address);
  });
  /** @type {Promise<{ code: number | null }>} */
  const ended = new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('close', (code) => resolve({ code }));
  });
  return { ended, hasStarted: () => hasStarted };
}

/**
 * @param {Children} children
 * @param {string} electron
 * @param {string} address
 */
function openDesktop(children, electron, address) {
  // Chromium refuses its sandbox to root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const args = [...sandbox, root, `--server=${address}`];
  const desktop = children.start(electron, args, {
    cwd: root,
    env: process.env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  desktop.once('error', () =>
    say(`The desktop app could not be opened. To use Teahouse, open ${address} in a browser.`),
  );
  desktop.once('exit', () => {
    if (!children.isEnding) say(`The desktop app was closed; the server goes on at ${address}. Ctrl-C ends it.`);
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.exitCode = 1;
}
