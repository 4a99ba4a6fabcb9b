import type { Session } from 'electron';
import type { AppPage } from './app-page.ts';

/**
 * What the interface may do without further question. Electron itself would approve everything; here whatever is not
 * named is refused, for every page but ours and in every frame but the main one.
 */
const GRANTED: ReadonlySet<string> = new Set([
  // calls
  'media',
  'display-capture',
  'speaker-selection',
  'screen-wake-lock',
  'fullscreen',
  'automatic-fullscreen',
  // "Copy"; reading the clipboard is not granted, pasting by the person needs no permission
  'clipboard-sanitized-write',
  'notifications',
  // history is in IndexedDB, which the browser engine may otherwise clear when the disk is full
  'persistent-storage',
  // the organisation's server is often in its own network; the content policy says which one may be reached
  'local-network-access',
  'local-network',
  'loopback-network',
]);

export interface PermissionQuestion {
  readonly permission: string;
  /** The address of the frame that asks, as far as it is known. */
  readonly requestingUrl: string | undefined;
  readonly isMainFrame: boolean;
}

export function isPermitted(page: AppPage, { permission, requestingUrl, isMainFrame }: PermissionQuestion): boolean {
  return GRANTED.has(permission) && isMainFrame && requestingUrl !== undefined && page.owns(requestingUrl);
}

type PermissionSession = Pick<
  Session,
  | 'setPermissionCheckHandler'
  | 'setPermissionRequestHandler'
  | 'setDevicePermissionHandler'
  | 'setBluetoothPairingHandler'
>;

export interface PermissionOptions {
  readonly page: AppPage;
  /**
   * Asks the operating system where it keeps its own list of apps that may use camera and microphone (macOS).
   * Resolves to whether all of them may be used.
   */
  readonly askSystemForMedia: (kinds: readonly ('video' | 'audio')[]) => Promise<boolean>;
}

/** Puts the rules above in force for a session. */
export function installPermissions(session: PermissionSession, { page, askSystemForMedia }: PermissionOptions): void {
  session.setPermissionCheckHandler((_contents, permission, _origin, details) =>
    isPermitted(page, { permission, requestingUrl: details.requestingUrl, isMainFrame: details.isMainFrame }),
  );
  const mayUse = async (kinds: readonly ('video' | 'audio')[]) => {
    try {
      return await askSystemForMedia(kinds);
    } catch {
      return false;
    }
  };
  session.setPermissionRequestHandler(async (_contents, permission, callback, details) => {
    const { requestingUrl, isMainFrame } = details;
    const kinds = permission === 'media' && 'mediaTypes' in details ? (details.mediaTypes ?? []) : [];
    const permitted = isPermitted(page, { permission, requestingUrl, isMainFrame });
    callback(permitted && (kinds.length === 0 || (await mayUse(kinds))));
  });
  session.setDevicePermissionHandler(() => false);
  session.setBluetoothPairingHandler((_details, callback) => callback({ confirmed: false }));
}
