export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

/** Only these two schemes: nothing that runs, opens an app or reads a file. */
const CANDIDATE = /https?:\/\/[^\s<>"'`\u200b\u202a-\u202e\u2066-\u2069]+/giu;
const TRAILING: ReadonlySet<string> = new Set('.,:;!?…)]}»”’');
const OPENERS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
/** Longest address that becomes a link, in UTF-16 code units. Parsing a host takes more than linear time. */
const MAX_LINK = 2048;

/**
 * Cuts a message into text and web addresses; the parts joined are the message again. Punctuation at the end of an
 * address belongs to the sentence, a closing bracket too unless its opening one is inside the address. Linear in the
 * length of the message, whatever it holds.
 */
export function linkify(message: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of message.matchAll(CANDIDATE)) {
    const text = trimEnd(match[0]);
    const href = safeHref(text);
    if (href === null) continue;
    if (match.index > from) parts.push({ kind: 'text', text: message.slice(from, match.index) });
    parts.push({ kind: 'link', text, href });
    from = match.index + text.length;
  }
  if (from < message.length) parts.push({ kind: 'text', text: message.slice(from) });
  return parts;
}

function trimEnd(candidate: string): string {
  const brackets = new Map<string, number>();
  const count = (character: string) => brackets.get(character) ?? 0;
  for (const character of candidate) if ('()[]{}'.includes(character)) brackets.set(character, count(character) + 1);
  let end = candidate.length;
  for (; end > 0; end -= 1) {
    const last = candidate.charAt(end - 1);
    const opener = OPENERS[last];
    if (!TRAILING.has(last) || (opener !== undefined && count(opener) >= count(last))) break;
    if (opener !== undefined) brackets.set(last, count(last) - 1);
  }
  return candidate.slice(0, end);
}

/** The address as the browser understands it, or null if it is none, or carries a user name that could disguise the host. */
function safeHref(text: string): string | null {
  const url = text.length > MAX_LINK ? null : URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  if (url.username !== '' || url.password !== '') return null;
  return url.href;
}
