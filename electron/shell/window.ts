import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron';
import type { WindowState } from './settings.ts';
import { MIN_HEIGHT, MIN_WIDTH, placeWindow, type Rectangle } from './window-state.ts';

/** The ground colour of the interface, so that the window does not flash before its first picture. */
const GROUND = { light: '#f4f0e9', dark: '#171512' } as const;

export interface WindowOptions {
  readonly preload: string;
  /** PNG for systems that take a window's icon from the program (Linux without a desktop file). */
  readonly icon: string | null;
  readonly state: WindowState | null;
  /** Of all screens; the main one first. */
  readonly workAreas: readonly Rectangle[];
  readonly isDark: boolean;
  readonly platform: NodeJS.Platform;
  /** Developer tools belong to development. */
  readonly devTools: boolean;
}

/** What `new BrowserWindow` is given. Every protection is written out, though most are Electron's defaults. */
export function windowOptions(options: WindowOptions): BrowserWindowConstructorOptions {
  const place = placeWindow(options.state, options.workAreas);
  return {
    title: 'Teahouse',
    show: false,
    width: place.width,
    height: place.height,
    ...place.position,
    minWidth: MIN_WIDTH,
    minHeight: MIN_HEIGHT,
    backgroundColor: options.isDark ? GROUND.dark : GROUND.light,
    autoHideMenuBar: true,
    ...(options.icon === null ? {} : { icon: options.icon }),
    webPreferences: {
      preload: options.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      safeDialogs: true,
      navigateOnDragDrop: false,
      devTools: options.devTools,
      // Messages and calls go on while the window is hidden.
      backgroundThrottling: false,
      // Elsewhere Electron would fetch dictionaries from a server that is not the organisation's.
      spellcheck: options.platform === 'darwin',
    },
  };
}

/** Where the window is, for the next start; the place it returns to if it is maximised now. */
export function stateOf(window: Pick<BrowserWindow, 'getNormalBounds' | 'isMaximized'>): WindowState {
  const { x, y, width, height } = window.getNormalBounds();
  return { x, y, width, height, maximised: window.isMaximized() };
}

/** Brings a window to the person, whatever state it is in. */
export function bringToFront(window: Pick<BrowserWindow, 'isMinimized' | 'restore' | 'show' | 'focus'>): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
