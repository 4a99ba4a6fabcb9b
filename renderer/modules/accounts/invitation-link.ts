import { InvitationToken } from '../../../protocol/accounts.ts';

/** The token in whatever the person pasted: the whole link, its fragment, or the bare token. Null if there is none. */
export function invitationIn(text: string): string | null {
  const trimmed = text.trim();
  const candidate = /\/join\/([^/?&\s]+)/.exec(trimmed)?.[1] ?? trimmed;
  const token = InvitationToken.safeParse(candidate);
  return token.success ? token.data : null;
}
