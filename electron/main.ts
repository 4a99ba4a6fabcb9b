import * as electron from 'electron';
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

const { app } = electron;

/** Everything that must happen before the app is ready, in this order. */
function main(): void {
  app.enableSandbox();
  electron.protocol.registerSchemesAsPrivileged([APP_SCHEME_PRIVILEGES]);
  // Windows shows notifications only for the id that the installer gave to the shortcut.
  if (process.platform === 'win32') app.setAppUserModelId('org.teahouse.desktop');

  const launch = readLaunchOptions(process.argv, process.env, app.isPackaged);
  // The first instance is told of this one's arguments, and shows itself.
  if (!app.requestSingleInstanceLock()) return app.quit();
  if (app.isPackaged) app.setAsDefaultProtocolClient(DEEP_LINK_SCHEME);

  const shell = app.whenReady().then(() => startShell(launch));
  listenToTheSystem(shell);
  shell.catch(fail);
}

function startShell(launch: LaunchOptions): DesktopShell {
  const out = join(import.meta.dirname, '..');
  const icon = join(out, '../resources/icons/256x256.png');
  const shell = new DesktopShell({
    electron,
    process,
    page: createAppPage(launch.devServer),
    settings: new SettingsStore(join(app.getPath('userData'), 'settings.json'), files),
    serverForThisRun: launch.serverOrigin,
    paths: {
      renderer: join(out, 'renderer'),
      preload: join(out, 'preload/preload.cjs'),
      // Elsewhere a window has the icon of the program.
      icon: process.platform === 'linux' ? icon : null,
    },
    readFile: async (path) => new Uint8Array(await readFile(path)),
    newId: randomUUID,
    log: report,
  });
  shell.start();
  return shell;
}

/** What the desktop and other programs tell a running app. */
function listenToTheSystem(ready: Promise<DesktopShell>): void {
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

function fail(error: unknown): void {
  if (error instanceof LaunchOptionsError) process.stderr.write(`${error.message}\n`);
  else report('Teahouse could not start.', error);
  app.exit(1);
}

/** To the console that started the app, if any. Errors of the shell carry no values that crossed the bridge. */
function report(text: string, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : 'unknown error';
  process.stderr.write(`${text}\n${cause}\n`);
}

try {
  main();
} catch (error) {
  fail(error);
}
