import { InvitationToken } from '../../../protocol/accounts.ts';

/** Longest text in which a link is looked for, in UTF-16 code units. */
const LONGEST = 4096;

/** The token in whatever the person pasted: the whole link, its fragment, or the bare token. Null if there is none. */
export function invitationIn(text: string): string | null {
  if (text.length > LONGEST) return null;
  const trimmed = text.trim();
  const candidate = /\/join\/([^/?&\s]+)/.exec(trimmed)?.[1] ?? trimmed;
  const token = InvitationToken.safeParse(candidate);
  return token.success ? token.data : null;
}
