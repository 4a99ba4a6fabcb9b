import { EventEmitter } from 'node:events';
import type { LaunchParts } from '../launch.ts';

type Listener = (...args: never[]) => unknown;

/** A session that remembers the handlers it is given. */
function createSession() {
  const handlers: Record<string, Listener> = {};
  const keep = (name: string) => (handler: Listener) => void (handlers[name] = handler);
  return {
    handlers,
    setPermissionCheckHandler: keep('permissionCheck'),
    setPermissionRequestHandler: keep('permissionRequest'),
    setDevicePermissionHandler: keep('device'),
    setBluetoothPairingHandler: keep('bluetooth'),
    setDisplayMediaRequestHandler: keep('displayMedia'),
    protocol: { handle: (scheme: string, handler: Listener) => void (handlers[`scheme:${scheme}`] = handler) },
  };
}

class FakeContents extends EventEmitter {
  readonly mainFrame = { url: 'app://teahouse/index.html', processId: 1, frameToken: 'main', parent: null };
  readonly sent: unknown[][] = [];
  reloads = 0;
  openHandler: Listener | null = null;
  setWindowOpenHandler(handler: Listener): void {
    this.openHandler = handler;
  }
  isDestroyed(): boolean {
    return false;
  }
  send(...args: unknown[]): void {
    this.sent.push(args);
  }
  reload(): void {
    this.reloads += 1;
  }
}

/**
 * As much of Electron as the shell uses, remembering what was done to it. It is no model of Electron: the tests with its
 * binary are in e2e/electron.
 */
export function createFakeElectron(userData: string, isPackaged = true) {
  const session = createSession();
  const ipc: Record<string, Listener> = {};
  const windows: FakeWindow[] = [];
  const log: string[] = [];
  const dialog = { response: 0, asked: [] as { message: string }[] };
  const note = (text: string) => void log.push(text);

  const app = Object.assign(new EventEmitter(), {
    isPackaged,
    enableSandbox: () => note('enableSandbox'),
    setAppUserModelId: (id: string) => note(`setAppUserModelId ${id}`),
    setAsDefaultProtocolClient: (scheme: string) => note(`setAsDefaultProtocolClient ${scheme}`),
    requestSingleInstanceLock: () => lock.granted,
    whenReady: async () => note('ready'),
    getPath: () => userData,
    getVersion: () => '1.2.3',
    setBadgeCount: (count: number) => note(`badge ${count}`),
    quit: () => note('quit'),
    exit: (code: number) => note(`exit ${code}`),
  });
  const lock = { granted: true };

  class FakeWindow extends EventEmitter {
    readonly webContents = new FakeContents();
    readonly loaded: string[] = [];
    readonly done: string[] = [];
    readonly options: unknown;
    constructor(options: unknown) {
      super();
      this.options = options;
      windows.push(this);
      app.emit('web-contents-created', {}, this.webContents);
    }
    async loadURL(url: string): Promise<void> {
      this.loaded.push(url);
    }
    isMinimized = () => false;
    isMaximized = () => false;
    getNormalBounds = () => ({ x: 10, y: 20, width: 900, height: 700 });
    show = () => void this.done.push('show');
    focus = () => void this.done.push('focus');
    restore = () => void this.done.push('restore');
    maximize = () => void this.done.push('maximize');
    setOverlayIcon = () => void this.done.push('overlay');
  }

  const display = { id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1080 } };
  const electron = {
    app,
    session: { defaultSession: session },
    protocol: {
      registerSchemesAsPrivileged: (all: { scheme: string }[]) =>
        note(`privileges ${all.map(({ scheme }) => scheme).join()}`),
    },
    ipcMain: { handle: (channel: string, listener: Listener) => void (ipc[channel] = listener) },
    safeStorage: { isAsyncEncryptionAvailable: async () => false },
    shell: { openExternal: async (url: string) => note(`external ${url}`) },
    Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: () => note('menu') },
    dialog: {
      showMessageBox: async (...args: unknown[]) => {
        dialog.asked.push(args.at(-1) as { message: string });
        return { response: dialog.response };
      },
    },
    screen: { getPrimaryDisplay: () => display, getAllDisplays: () => [display] },
    nativeTheme: { shouldUseDarkColors: true },
    nativeImage: { createFromBitmap: () => ({}) },
    desktopCapturer: { getSources: async () => [] },
    systemPreferences: { askForMediaAccess: async () => true },
    Notification: class extends EventEmitter {
      static isSupported = () => true;
      show = () => note('notification');
      close = () => note('notification closed');
    },
    BrowserWindow: FakeWindow,
  };
  return { electron: electron as unknown as LaunchParts['electron'], app, session, ipc, windows, log, dialog, lock };
}
