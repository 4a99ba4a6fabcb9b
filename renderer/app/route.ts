import { UserId } from '../../protocol/ids.ts';
import { InvitationToken, ResetToken } from '../../protocol/accounts.ts';

export const settingsSections = [
  'profile',
  'appearance',
  'devices',
  'sessions',
  'password',
  'people',
  'invitations',
  'about',
] as const;
export type SettingsSection = (typeof settingsSections)[number];

/** What the window shows. Kept in the address's fragment, which no server sees. */
export type Route =
  | { readonly page: 'chats'; readonly userId: UserId | null }
  | { readonly page: 'calls' }
  | { readonly page: 'contacts' }
  | { readonly page: 'settings'; readonly section: SettingsSection | null }
  | { readonly page: 'join'; readonly invitation: string }
  /** A link to a new password. */
  | { readonly page: 'reset'; readonly reset: string }
  /** An invitation link whose token is not one, for example cut off by a mail program. */
  | { readonly page: 'join-unreadable' };

export const home: Route = { page: 'chats', userId: null };

/** Reads a fragment ("#/chats/…"). Anything unknown is the home page. */
export function parseRoute(hash: string): Route {
  const [page, argument] = hash.replace(/^#?\/?/, '').split('/');
  switch (page) {
    case 'chats': {
      const userId = UserId.safeParse(argument);
      return { page, userId: userId.success ? userId.data : null };
    }
    case 'calls':
    case 'contacts':
      return { page };
    case 'settings':
      return { page, section: settingsSections.find((section) => section === argument) ?? null };
    case 'join':
      return joinRoute(argument);
    case 'reset': {
      const reset = ResetToken.safeParse(argument);
      return reset.success ? { page, reset: reset.data } : home;
    }
    default:
      return home;
  }
}

function joinRoute(argument: string | undefined): Route {
  const invitation = InvitationToken.safeParse(argument);
  return invitation.success ? { page: 'join', invitation: invitation.data } : { page: 'join-unreadable' };
}

/** The fragment of a route; `parseRoute` gives the same route back. */
export function hashOf(route: Route): string {
  switch (route.page) {
    case 'chats':
      return route.userId === null ? '#/chats' : `#/chats/${route.userId}`;
    case 'settings':
      return route.section === null ? '#/settings' : `#/settings/${route.section}`;
    case 'join':
      return `#/join/${route.invitation}`;
    case 'reset':
      return `#/reset/${route.reset}`;
    case 'join-unreadable':
      return '#/join';
    default:
      return `#/${route.page}`;
  }
}
