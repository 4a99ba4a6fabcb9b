import type * as Electron from 'electron';
import { randomUUID } from 'node:crypto';
import * as files from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEEP_LINK_SCHEME } from '../protocol/ipc/server-address.ts';
import { DesktopShell } from './desktop-shell.ts';
import { createAppPage } from './shell/app-page.ts';
import { APP_SCHEME_PRIVILEGES } from './shell/app-scheme.ts';
import { deepLinkIn } from './shell/deep-links.ts';
import { LaunchOptionsError, readLaunchOptions, type LaunchOptions } from './shell/launch-options.ts';
import { SettingsStore } from './shell/settings.ts';

export interface LaunchParts {
  /** A parameter, so that what happens at the start is tested without Electron's binary. */
  readonly electron: typeof Electron;
  readonly process: Pick<NodeJS.Process, 'platform' | 'env' | 'argv'> & {
    readonly stderr: { write(text: string): unknown };
  };
  /** The folder of the built app: `main/`, `preload/` and `renderer/` are in it. */
  readonly out: string;
}

/** Starts the app, or hands over to the instance that already runs. */
export function launchApp(parts: LaunchParts): void {
  try {
    prepare(parts);
  } catch (error) {
    fail(parts, error);
  }
}

/** Everything that must happen before the app is ready, in this order. */
function prepare(parts: LaunchParts): void {
  const { electron, process } = parts;
  const { app } = electron;
  app.enableSandbox();
  electron.protocol.registerSchemesAsPrivileged([APP_SCHEME_PRIVILEGES]);
  // Windows shows notifications only for the id that the installer gave to the shortcut.
  if (process.platform === 'win32') app.setAppUserModelId('org.teahouse.desktop');

  const options = readLaunchOptions(process.argv, process.env, app.isPackaged);
  // The first instance is told of this one's arguments, and shows itself.
  if (!app.requestSingleInstanceLock()) return app.quit();
  if (app.isPackaged) app.setAsDefaultProtocolClient(DEEP_LINK_SCHEME);

  const shell = app.whenReady().then(() => startShell(parts, options));
  listenToTheSystem(parts, shell);
  shell.catch((error: unknown) => fail(parts, error));
}

function startShell(parts: LaunchParts, options: LaunchOptions): DesktopShell {
  const { electron, process, out } = parts;
  const shell = new DesktopShell({
    electron,
    process,
    page: createAppPage(options.devServer),
    settings: new SettingsStore(join(electron.app.getPath('userData'), 'settings.json'), files),
    serverForThisRun: options.serverOrigin,
    paths: {
      renderer: join(out, 'renderer'),
      preload: join(out, 'preload', 'preload.cjs'),
      // Elsewhere a window has the icon of the program.
      icon: process.platform === 'linux' ? join(out, '..', 'resources', 'icons', '256x256.png') : null,
    },
    readFile: async (path) => new Uint8Array(await readFile(path)),
    newId: randomUUID,
    log: (text, error) => report(parts, text, error),
  });
  shell.start();
  return shell;
}

/** What the desktop and other programs tell a running app. */
function listenToTheSystem({ electron, process }: LaunchParts, ready: Promise<DesktopShell>): void {
  const { app } = electron;
  const withShell = (action: (shell: DesktopShell) => void) => void ready.then(action, () => {});
  const openFrom = (shell: DesktopShell, argv: readonly string[]) => {
    const address = deepLinkIn(argv);
    if (address) shell.openDeepLink(address);
  };
  withShell((shell) => openFrom(shell, process.argv));
  app.on('second-instance', (_event, argv) =>
    withShell((shell) => {
      shell.bringToFront();
      openFrom(shell, argv);
    }),
  );
  // macOS hands links over this way, also the one that started the app.
  app.on('open-url', (event, url) => {
    event.preventDefault();
    withShell((shell) => openFrom(shell, [url]));
  });
  app.on('activate', () => withShell((shell) => shell.bringToFront()));
  app.on('will-quit', () => withShell((shell) => shell.stop()));
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
}

function fail(parts: LaunchParts, error: unknown): void {
  if (error instanceof LaunchOptionsError) parts.process.stderr.write(`${error.message}\n`);
  else report(parts, 'Teahouse could not start.', error);
  parts.electron.app.exit(1);
}

/** To the console that started the app, if any. Errors of the shell carry no values that crossed the bridge. */
function report({ process }: LaunchParts, text: string, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : 'unknown error';
  process.stderr.write(`${text}\n${cause}\n`);
}
