export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

/** Only these two schemes: nothing that runs, opens an app or reads a file. */
const CANDIDATE = /https?:\/\/[^\s<>"'`\u200b\u202a-\u202e\u2066-\u2069]+/giu;
const TRAILING = /[.,:;!?…)\]}»”’]$/u;
const OPENERS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/**
 * Cuts a message into text and web addresses; the parts joined are the message again. Punctuation at the end of an
 * address belongs to the sentence, a closing bracket too unless its opening one is inside the address.
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
  let text = candidate;
  for (let end = TRAILING.exec(text)?.[0]; end !== undefined; end = TRAILING.exec(text)?.[0]) {
    const opener = OPENERS[end];
    if (opener !== undefined && count(text, opener) >= count(text, end)) break;
    text = text.slice(0, -1);
  }
  return text;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** The address as the browser understands it, or null if it is none, or carries a user name that could disguise the host. */
function safeHref(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  if (url.username !== '' || url.password !== '') return null;
  return url.href;
}
