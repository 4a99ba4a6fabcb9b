import type { ShellDescription } from '../../protocol/ipc/bridge.ts';
import type { BridgeHandlers } from '../ipc/router.ts';
import type { DeepLinks } from './deep-links.ts';
import type { Notifications } from './notifications.ts';
import type { ScreenShare } from './screen-share.ts';
import type { SecureStore } from './secure-store.ts';

const PLATFORMS: Partial<Record<NodeJS.Platform, ShellDescription['platform']>> = {
  linux: 'linux',
  darwin: 'mac',
  win32: 'windows',
};

export interface HandlersOptions {
  readonly platform: NodeJS.Platform;
  readonly version: string;
  /** The server the app belongs to, and how to change it for good. */
  readonly server: {
    get(): string | null;
    /** Where profiles of earlier versions are; null if that is not known. */
    first(): string | null;
    /** Rejects with `server_refused` if the app belongs to another one and the person does not agree. */
    set(origin: string): Promise<void>;
  };
  readonly secureStore: SecureStore;
  readonly notifications: Notifications;
  readonly setBadge: (count: number) => void;
  readonly deepLinks: DeepLinks;
  readonly screenShare: ScreenShare;
}

/** What each call of the bridge does. */
export function createHandlers(options: HandlersOptions): BridgeHandlers {
  const { platform, version, server, secureStore, notifications, setBadge, deepLinks, screenShare } = options;
  return {
    describe: async () => ({
      platform: PLATFORMS[platform] ?? 'linux',
      version,
      serverOrigin: server.get(),
      firstServerOrigin: server.first(),
      secretStore: (await secureStore.isProtected()) ? 'system' : 'unprotected',
    }),
    setServerOrigin: async ({ origin }) => {
      await server.set(origin);
      return {};
    },
    sealSecret: async ({ plain }) => ({ sealed: await secureStore.seal(plain) }),
    openSecret: async ({ sealed }) => ({ plain: await secureStore.open(sealed) }),
    notify: (content) => {
      notifications.show(content);
      return {};
    },
    setBadge: ({ count }) => {
      setBadge(count);
      return {};
    },
    takeDeepLink: () => deepLinks.take(),
    chooseScreen: ({ requestId, choice }) => {
      screenShare.answer(requestId, choice);
      return {};
    },
  };
}
