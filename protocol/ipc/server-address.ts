import { z } from 'zod';
import { InvitationToken, ResetToken } from '../accounts.ts';

/** The scheme that the desktop app registers with the operating system. */
export const DEEP_LINK_SCHEME = 'teahouse';
/** Longest address or link that is looked at, in UTF-16 code units. */
const MAX_LENGTH = 2048;

/** A web address as the WHATWG parser normalises it. */
const WebUrl = z.url({ protocol: /^https?$/, hostname: /.+/, normalize: true });
const LOOPBACK = /^http:\/\/(localhost|[^/:]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;
/** No credentials, and only the characters that a normalised host can hold. */
const ORIGIN = /^https?:\/\/[a-z0-9.\-_~%[\]:]+$/;

/**
 * A server as `scheme://host[:port]` in its normal form. Plain http is taken from this machine alone: anywhere else
 * it would show the password and the session to the network.
 */
export const ServerOrigin = z
  .string()
  .max(300)
  .refine(isNormalOrigin, { message: 'must be the origin of a server' })
  .refine((origin) => origin.startsWith('https:') || LOOPBACK.test(origin), { message: 'must use https' });
export type ServerOrigin = z.infer<typeof ServerOrigin>;

function isNormalOrigin(text: string): boolean {
  const url = WebUrl.safeParse(text);
  return url.success && url.data === `${text}/` && ORIGIN.test(text);
}

/** Where a person told the app to go. */
export interface ServerAddress {
  readonly origin: ServerOrigin;
  /** The token of an invitation link; null where another link was given, or only the server was named. */
  readonly invitation: string | null;
  /** The token of a link to a new password; null likewise. */
  readonly reset: string | null;
}

/**
 * Reads what a person typed or pasted: a host name, an address, an invitation link (`https://host/#/join/<token>`), a
 * link to a new password (`https://host/#/reset/<token>`) or a deep link. Null for anything else.
 */
export function parseServerAddress(text: string): ServerAddress | null {
  const trimmed = text.trim();
  if (trimmed.length === 0 || trimmed.length > MAX_LENGTH) return null;
  if (trimmed.toLowerCase().startsWith(`${DEEP_LINK_SCHEME}:`)) return parseDeepLink(trimmed);
  const url = WebUrl.safeParse(withScheme(trimmed));
  const parts = url.success ? /^(https?:\/\/[^/?#@]+)\/(.*)$/s.exec(url.data) : null;
  if (!parts) return null;
  const origin = ServerOrigin.safeParse(parts[1]);
  if (!origin.success) return null;
  const [, page, token] = /#\/(join|reset)\/(.*)$/s.exec(parts[2] ?? '') ?? [];
  return page === undefined
    ? { origin: origin.data, invitation: null, reset: null }
    : withToken(origin.data, page, token);
}

/** Null if the token is none. */
function withToken(origin: ServerOrigin, page: string, token: string | undefined): ServerAddress | null {
  const parsed = (page === 'join' ? InvitationToken : ResetToken).safeParse(token);
  if (!parsed.success) return null;
  return page === 'join'
    ? { origin, invitation: parsed.data, reset: null }
    : { origin, invitation: null, reset: parsed.data };
}

function withScheme(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const local = LOOPBACK.test(`http://${text.replace(/[/?#].*$/s, '').toLowerCase()}`);
  return `${local ? 'http' : 'https'}://${text}`;
}

/** The link that opens an invitation in the desktop app. The token is in the fragment, as in the web link. */
export function joinDeepLink(origin: ServerOrigin, invitation: string): string {
  return `${DEEP_LINK_SCHEME}://join#server=${encodeURIComponent(origin)}&invitation=${invitation}`;
}

/** The link that opens the page for a new password in the desktop app. */
export function resetDeepLink(origin: ServerOrigin, reset: string): string {
  return `${DEEP_LINK_SCHEME}://reset#server=${encodeURIComponent(origin)}&reset=${reset}`;
}

/** Reads a link made by `joinDeepLink` or `resetDeepLink`; null for anything else, since any web page may make the system open one. */
export function parseDeepLink(text: string): ServerAddress | null {
  if (text.length > MAX_LENGTH) return null;
  // Some systems hand the link on with the slash that URL parsers add after a host.
  const [, host, fragment] = /^teahouse:\/\/(join|reset)\/?#(.*)$/is.exec(text) ?? [];
  if (host === undefined || fragment === undefined) return null;
  const page = host.toLowerCase();
  const fields = new Map<string, string>();
  for (const pair of fragment.split('&')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    if (fields.has(name)) return null;
    fields.set(name, value);
  }
  const origin = ServerOrigin.safeParse(decode(fields.get('server')));
  if (!origin.success || fields.size !== 2) return null;
  return withToken(origin.data, page, fields.get(page === 'join' ? 'invitation' : 'reset'));
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
