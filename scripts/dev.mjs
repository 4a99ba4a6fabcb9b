import process from 'node:process';
import { Children, exitCode } from './lib/children.mjs';
import { findElectron, hasDisplay } from './lib/electron.mjs';
import { nodePath, toolEnvironment } from './lib/node24.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { say } from './lib/say.mjs';
import { toolScript } from './lib/tools.mjs';
import { setUp } from './setup/set-up.mjs';

const CLIENT_PORT = process.env['TEAHOUSE_DEV_PORT'] ?? '5173';
const CLIENT = `http://localhost:${CLIENT_PORT}`;
const DEFAULT_SERVER_PORT = '8420';
/** @type {import('node:child_process').StdioOptions} */
const STDIO = ['ignore', 'inherit', 'inherit'];

/** Runs server, user interface and desktop app, each reloaded when its sources change. */
async function main() {
  const failed = await setUp();
  if (failed) return failed;
  const children = new Children();
  children.endOnSignal();
  const serverArgs = process.argv.slice(2).filter((argument) => argument !== '--no-desktop');
  const programs = [startServer(children, serverArgs), startClient(children, serverArgs)];
  const code = await Promise.race(programs.map(exitCode));
  const asked = children.isEnding;
  await children.end();
  return asked ? 0 : code;
}

/**
 * @param {Children} children
 * @param {string[]} args
 */
function startServer(children, args) {
  // Pages come from Vite, which passes their sockets on: for the server that is where its clients are.
  const env = { TEAHOUSE_ORIGIN: CLIENT, ...toolEnvironment() };
  const nodeArgs = ['--disable-warning=ExperimentalWarning', '--watch', '--watch-preserve-output'];
  return children.start(nodePath(), [...nodeArgs, inRoot('server', 'main.ts'), ...args], {
    cwd: root,
    env,
    stdio: STDIO,
  });
}

/**
 * @param {Children} children
 * @param {string[]} serverArgs
 */
function startClient(children, serverArgs) {
  const electron = process.argv.includes('--no-desktop') || !hasDisplay() ? undefined : findElectron();
  const env = {
    ...toolEnvironment(),
    TEAHOUSE_DEV_PORT: CLIENT_PORT,
    TEAHOUSE_DEV_SERVER: serverAddress(serverArgs),
    TEAHOUSE_SERVER: CLIENT,
  };
  if (electron) {
    const args = [toolScript('electron-vite', 'electron-vite'), 'dev', '--watch'];
    return children.start(nodePath(), args, { cwd: root, env, stdio: STDIO });
  }
  say(`No desktop app here: open ${CLIENT} in a browser.`);
  const args = [toolScript('vite', 'vite'), '--config', 'renderer/vite.config.ts'];
  return children.start(nodePath(), args, { cwd: root, env, stdio: STDIO });
}

/** @param {string[]} args the server's */
function serverAddress(args) {
  const flag = args.find((argument) => argument.startsWith('--port='))?.slice('--port='.length);
  const next = args.includes('--port') ? args[args.indexOf('--port') + 1] : undefined;
  return `http://127.0.0.1:${flag ?? next ?? process.env['TEAHOUSE_PORT'] ?? DEFAULT_SERVER_PORT}`;
}

process.exitCode = await main();
