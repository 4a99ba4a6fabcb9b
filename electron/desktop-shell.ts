import type * as Electron from 'electron';
import { serveBridge, tellInterface } from './ipc/router.ts';
import type { ServerAddress } from '../protocol/ipc/server-address.ts';
import { BridgeError, type BridgeEvent, type BridgeEventParams } from '../protocol/ipc/bridge.ts';
import { type AppPage, APP_SCHEME } from './shell/app-page.ts';
import { createAppSchemeHandler } from './shell/app-scheme.ts';
import { createBadge } from './shell/badge.ts';
import { DeepLinks } from './shell/deep-links.ts';
import { createHandlers } from './shell/handlers.ts';
import { menuTemplate } from './shell/menu.ts';
import { confineNavigation } from './shell/navigation.ts';
import { Notifications } from './shell/notifications.ts';
import { installPermissions } from './shell/permissions.ts';
import { createRecovery } from './shell/recovery.ts';
import { isWaylandSession, ScreenShare } from './shell/screen-share.ts';
import { SecureStore } from './shell/secure-store.ts';
import type { SettingsStore } from './shell/settings.ts';
import { AGREED, confirmRunDialog, confirmServerDialog, keepsFailingDialog } from './shell/system-dialogs.ts';
import { bringToFront, stateOf, windowOptions } from './shell/window.ts';

export interface DesktopShellOptions {
  /** Electron itself, once the app is ready. A parameter, so that the shell is tested without its binary. */
  readonly electron: typeof Electron;
  readonly process: Pick<NodeJS.Process, 'platform' | 'env'>;
  readonly page: AppPage;
  readonly settings: SettingsStore;
  /** Goes before the kept one until another is set; the person is asked first if another one is kept. */
  readonly serverForThisRun: string | null;
  readonly paths: { readonly renderer: string; readonly preload: string; readonly icon: string | null };
  readonly readFile: (path: string) => Promise<Uint8Array<ArrayBuffer>>;
  readonly newId: () => string;
  /** For errors that are bugs. Never given a value that crossed the bridge. */
  readonly log: (text: string, error: unknown) => void;
}

/** The desktop app around its one window. */
export class DesktopShell {
  readonly #options: DesktopShellOptions;
  readonly #deepLinks: DeepLinks;
  readonly #notifications: Notifications;
  readonly #screenShare: ScreenShare;
  #window: Electron.BrowserWindow | null = null;
  #serverForThisRun: string | null;

  constructor(options: DesktopShellOptions) {
    this.#options = options;
    const kept = options.settings.current.serverOrigin;
    const wanted = options.serverForThisRun;
    this.#serverForThisRun = kept === null || kept === wanted ? wanted : null;
    this.#deepLinks = this.#createDeepLinks();
    this.#notifications = this.#createNotifications();
    this.#screenShare = this.#createScreenShare();
  }

  /** Sets up the session and the bridge, then opens the window. Once, after the app is ready. */
  start(): void {
    const { electron, process, page, paths, readFile } = this.#options;
    const session = electron.session.defaultSession;
    const serveFile = createAppSchemeHandler({
      root: paths.renderer,
      page,
      readFile,
      serverOrigin: () => this.#server(),
    });
    session.protocol.handle(APP_SCHEME, serveFile);
    installPermissions(session, { page, askSystemForMedia: (kinds) => this.#askSystemForMedia(kinds) });
    this.#screenShare.install(session);
    electron.app.on('web-contents-created', (_event, contents) =>
      confineNavigation(contents, { page, openExternal: (url) => electron.shell.openExternal(url) }),
    );
    this.#serve();
    const template = menuTemplate({ platform: process.platform, isDevelopment: !electron.app.isPackaged });
    electron.Menu.setApplicationMenu(electron.Menu.buildFromTemplate(template));
    this.#openWindow();
    this.#offerServerForThisRun().catch((error: unknown) => this.#options.log('The dialog could not be shown.', error));
  }

  /** Shows the window, a new one if it was closed. */
  bringToFront(): void {
    if (this.#window) bringToFront(this.#window);
    else this.#openWindow();
  }

  openDeepLink(address: ServerAddress): void {
    this.#deepLinks
      .open(address)
      .catch((error: unknown) => this.#options.log('A deep link could not be opened.', error));
  }

  /** Takes away what would outlive the app. */
  stop(): void {
    this.#notifications.closeAll();
  }

  #server(): string | null {
    return this.#serverForThisRun ?? this.#options.settings.current.serverOrigin;
  }

  /** A shortcut or another program must not lead an app that belongs to one server to another one unasked. */
  async #offerServerForThisRun(): Promise<void> {
    const wanted = this.#options.serverForThisRun;
    const present = this.#server();
    if (wanted === null || present === null || wanted === present) return;
    if (!(await this.#ask(confirmRunDialog(wanted, present)))) return;
    this.#serverForThisRun = wanted;
    if (this.#window) await this.#load(this.#window);
  }

  async #ask(question: Electron.MessageBoxOptions): Promise<boolean> {
    const { dialog } = this.#options.electron;
    const { response } = await (this.#window
      ? dialog.showMessageBox(this.#window, question)
      : dialog.showMessageBox(question));
    return response === AGREED;
  }

  async #setServerIfAgreed(origin: string): Promise<void> {
    const isOther = ![null, origin].includes(this.#server());
    if (isOther && !(await this.#deepLinks.agree(origin)))
      throw new BridgeError('server_refused', 'The person keeps the present server.');
    this.#setServer(origin);
  }

  #setServer(serverOrigin: string): void {
    this.#options.settings.update({ serverOrigin });
    this.#serverForThisRun = null;
  }

  #tell<E extends BridgeEvent>(event: E, params: BridgeEventParams<E>): boolean {
    return tellInterface(this.#window?.webContents ?? null, this.#options.page, event, params);
  }

  #serve(): void {
    const { electron, process, page, log } = this.#options;
    const { app, safeStorage } = electron;
    serveBridge({
      ipcMain: electron.ipcMain,
      page,
      contents: () => this.#window?.webContents ?? null,
      onBug: (call, error) => log(`The call ${call} failed.`, error),
      handlers: createHandlers({
        platform: process.platform,
        version: app.getVersion(),
        server: {
          get: () => this.#server(),
          first: () => this.#options.settings.current.firstServerOrigin,
          set: (origin) => this.#setServerIfAgreed(origin),
        },
        secureStore: new SecureStore({ safeStorage, platform: process.platform }),
        notifications: this.#notifications,
        setBadge: createBadge({
          platform: process.platform,
          setCount: (count) => app.setBadgeCount(count),
          setDot: (dot, description) => {
            const image =
              dot && electron.nativeImage.createFromBitmap(dot.pixels, { width: dot.width, height: dot.height });
            this.#window?.setOverlayIcon(image, description);
          },
        }),
        deepLinks: this.#deepLinks,
        screenShare: this.#screenShare,
      }),
    });
  }

  #openWindow(): void {
    const { electron, process, settings, paths, log } = this.#options;
    const { screen } = electron;
    const main = screen.getPrimaryDisplay();
    const others = screen.getAllDisplays().filter(({ id }) => id !== main.id);
    const window = new electron.BrowserWindow(
      windowOptions({
        preload: paths.preload,
        icon: paths.icon,
        state: settings.current.window,
        workAreas: [main, ...others].map(({ workArea }) => workArea),
        isDark: electron.nativeTheme.shouldUseDarkColors,
        platform: process.platform,
        devTools: !electron.app.isPackaged,
      }),
    );
    this.#window = window;
    if (settings.current.window?.maximised) window.maximize();
    window.once('ready-to-show', () => window.show());
    window.on('close', () => settings.update({ window: stateOf(window) }));
    window.on('closed', () => (this.#window = null));
    this.#recover(window);
    this.#load(window).catch((error: unknown) => log('The interface could not be loaded.', error));
  }

  #load(window: Electron.BrowserWindow): Promise<void> {
    return window.loadURL(this.#options.page.url);
  }

  #recover(window: Electron.BrowserWindow): void {
    const { electron, log } = this.#options;
    const reload = () => window.webContents.reload();
    const died = createRecovery({
      now: () => performance.now(),
      reload,
      giveUp: () => {
        electron.dialog.showMessageBox(window, keepsFailingDialog()).then(
          ({ response }) => (response === AGREED ? reload() : electron.app.quit()),
          (error: unknown) => log('The dialog could not be shown.', error),
        );
      },
    });
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason !== 'clean-exit') died();
    });
  }

  #createDeepLinks(): DeepLinks {
    return new DeepLinks({
      serverOrigin: () => this.#server(),
      confirmServer: async (wanted, present) => {
        this.bringToFront();
        return this.#ask(confirmServerDialog(wanted, present));
      },
      setServer: async (origin) => {
        this.#setServer(origin);
        if (this.#window) await this.#load(this.#window);
      },
      announce: () => {
        this.#tell('deepLinkArrived', {});
        this.bringToFront();
      },
    });
  }

  #createNotifications(): Notifications {
    const { Notification } = this.#options.electron;
    return new Notifications({
      isSupported: () => Notification.isSupported(),
      create: (content) => new Notification(content),
      onClick: (tag) => {
        this.bringToFront();
        this.#tell('notificationClicked', { tag });
      },
    });
  }

  #createScreenShare(): ScreenShare {
    const { electron, process, page, newId } = this.#options;
    return new ScreenShare({
      page,
      platform: process.platform,
      isWayland: process.platform === 'linux' && isWaylandSession(process.env),
      getSources: (options) => electron.desktopCapturer.getSources(options),
      showPicker: (request) => this.#tell('screenRequested', request),
      newId,
    });
  }

  /** macOS keeps its own list of apps that may use camera and microphone, and asks the person once. */
  async #askSystemForMedia(kinds: readonly ('video' | 'audio')[]): Promise<boolean> {
    if (this.#options.process.platform !== 'darwin') return true;
    for (const kind of kinds) {
      const allowed = await this.#options.electron.systemPreferences.askForMediaAccess(
        kind === 'video' ? 'camera' : 'microphone',
      );
      if (!allowed) return false;
    }
    return true;
  }
}
