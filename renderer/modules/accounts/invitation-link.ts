import { InvitationToken } from '../../../protocol/accounts.ts';

/** The token in whatever the person pasted: the whole link, its fragment, or the bare token. Null if there is none. */
export function invitationIn(text: string): string | null {
  const trimmed = text.trim();
  const candidate = /\/join\/([^/?&\s]+)/.exec(trimmed)?.[1] ?? trimmed;
  const token = InvitationToken.safeParse(candidate);
  return token.success ? token.data : null;
}

/** The server that a pasted link or address names, as an origin. Null if it names none. */
export function serverIn(text: string): string | null {
  const trimmed = text.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') return null;
  return url.origin;
}
