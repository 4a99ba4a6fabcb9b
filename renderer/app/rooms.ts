/** What is not on the first screen, each in a chunk of its own that is fetched when it is first opened. */
export const rooms = {
  calls: () => import('../modules/calls/CallsPage.svelte'),
  contacts: () => import('../modules/contacts/ContactsPage.svelte'),
  settings: () => import('../modules/settings/SettingsPage.svelte'),
  callView: () => import('../modules/calls/CallView.svelte'),
  password: () => import('../modules/settings/PasswordDialog.svelte'),
  newChat: () => import('../modules/chat/NewChatDialog.svelte'),
  palette: () => import('./Palette.svelte'),
  shortcuts: () => import('./Shortcuts.svelte'),
};

/** After the first screen has settled. Milliseconds. */
const DELAY_MS = 1500;

/**
 * Fetches all rooms at leisure, so that none of them keeps anybody waiting: a key pressed right after a shortcut would
 * go nowhere, and a call that was accepted would be heard later. Returns what calls it off.
 */
export function fetchRoomsLater(): () => void {
  let idle: number | undefined;
  const timer = setTimeout(() => {
    idle = requestIdleCallback(() => {
      // What fails now is fetched again when it is opened, and says so then.
      for (const fetchRoom of Object.values(rooms)) void fetchRoom().catch(() => {});
    });
  }, DELAY_MS);
  return () => {
    clearTimeout(timer);
    if (idle !== undefined) cancelIdleCallback(idle);
  };
}
