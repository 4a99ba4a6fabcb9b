import type { Host } from './host.ts';

/** The browser itself as the host: the page's own origin is the server. `version` is the build's. */
export function createBrowserHost(version: string): Host {
  return {
    kind: 'browser',
    clientName: `Teahouse ${version} in ${browserName()} on ${systemName()}`,
    deviceName: `${browserName()} on ${systemName()}`,
    serverOrigin: () => Promise.resolve(location.origin),
    firstServerOrigin: () => Promise.resolve(location.origin),
    // A page belongs to the server that it came from.
    setServerOrigin: () => Promise.resolve(),
    secrets: null,
    notify,
    setBadge(count) {
      const shown = count > 0 ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
      shown?.catch(() => undefined);
    },
    // Links open pages; the router reads the address.
    onDeepLink: () => () => undefined,
  };
}

function notify(input: {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly onClick: () => void;
}) {
  if (!('Notification' in window) || Notification.permission !== 'granted' || document.hasFocus()) return;
  const notification = new Notification(input.title, { body: input.body, tag: input.tag });
  notification.addEventListener('click', () => {
    window.focus();
    notification.close();
    input.onClick();
  });
}

/** The order matters: Edge and Opera also say that they are Chrome, and Chrome that it is Safari. */
const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iOS'],
  ['iPad', 'iPadOS'],
  ['Windows', 'Windows'],
  ['Mac OS', 'macOS'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
] as const;

function browserName(): string {
  return BROWSERS.find(([mark]) => navigator.userAgent.includes(mark))?.[1] ?? 'Browser';
}

function systemName(): string {
  return SYSTEMS.find(([mark]) => navigator.userAgent.includes(mark))?.[1] ?? 'another system';
}
