import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { IncomingMessage } from 'node:http';

/**
 * Whether a page of this origin may open the socket: the web client served here, the desktop app, or the configured
 * public origin. Programs that are no browsers send none. Keeps other sites' pages from using a signed-in browser.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: string | undefined,
): boolean {
  if (origin === undefined) return true;
  if (origin === allowed) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (protocol === 'app:') return true;
  return (protocol === 'http:' || protocol === 'https:') && host !== undefined && originHost === host.toLowerCase();
}

/** Finds the peer's address behind the proxies that are trusted to tell it. */
export function addressReader(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trusted = new BlockList();
  for (const network of trustedProxies) {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string) =>
    (isIPv4(address) && trusted.check(address, 'ipv4')) || (isIPv6(address) && trusted.check(address, 'ipv6'));

  return (request) => {
    let address = plain(request.socket.remoteAddress ?? '');
    const forwarded = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((part) => plain(part.trim()));
    // From the nearest proxy outwards, for as long as the one who says it is trusted.
    while (isTrusted(address)) {
      const next = forwarded.pop();
      if (!next || (!isIPv4(next) && !isIPv6(next))) break;
      address = next;
    }
    return address;
  };
}

/** IPv4 as IPv4, also where the socket listens on IPv6. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}
