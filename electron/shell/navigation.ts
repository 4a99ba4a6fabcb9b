import type { WebContents } from 'electron';
import type { AppPage } from './app-page.ts';

/** Longest web address that is handed to the system's browser, in UTF-16 code units. */
const MAX_EXTERNAL_LENGTH = 2048;

/**
 * The address to open in the system's browser, normalised; null if it must not be. Only https: other schemes reach
 * programs that were never meant for strangers' links, and credentials in an address serve only to deceive.
 */
export function externalAddress(text: string): string | null {
  if (text.length > MAX_EXTERNAL_LENGTH) return null;
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return null;
  return url.href;
}

/** The part of a window that must not lead elsewhere. */
type Navigable = Pick<WebContents, 'setWindowOpenHandler' | 'on'>;

export interface NavigationOptions {
  readonly page: AppPage;
  readonly openExternal: (url: string) => Promise<void>;
}

/** Keeps a page where it is: no other page takes its place, no frame or webview is added, no window opens. */
export function confineNavigation(contents: Navigable, { page, openExternal }: NavigationOptions): void {
  contents.setWindowOpenHandler(({ url }) => {
    const address = externalAddress(url);
    // A browser that cannot be started is the system's to report; nothing here depends on it.
    if (address !== null) openExternal(address).catch(() => {});
    return { action: 'deny' };
  });
  contents.on('will-navigate', (event) => {
    if (!page.owns(event.url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !page.owns(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => {
    if (!page.owns(event.url)) event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
}
