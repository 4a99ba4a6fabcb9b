import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { hostname } from 'node:os';

/** The desktop app's pages. Another app's pages of the same scheme are not ours. */
const DESKTOP_ORIGIN = 'app://teahouse';

/**
 * Whether a page of this origin may open the socket: the desktop app's, and those of the configured public origin.
 * Where none is configured, the pages that are served here, by a name that nobody else can point here. Programs that
 * are no browsers send no origin. Keeps other sites' pages from using a signed-in browser.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || origin === DESKTOP_ORIGIN) return true;
  if (allowed.length > 0) return allowed.includes(origin);
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return host !== undefined && originHost === host.toLowerCase() && isOwnHost(host);
}

/**
 * Whether a request may name this host. With a public origin: that one, and names that only this machine or its network
 * has. Another site's name that is made to lead here (DNS rebinding) is none of them. Browsers always name a host.
 */
export function isHostAllowed(host: string | undefined, allowed: readonly string[]): boolean {
  if (host === undefined) return true;
  return isOwnHost(host) || allowed.some((origin) => new URL(origin).host === host.toLowerCase());
}

/** An address, `localhost`, or what this machine calls itself: names that no stranger's DNS gives to this machine. */
function isOwnHost(host: string): boolean {
  if (!URL.canParse(`http://${host}/`)) return false;
  const url = new URL(`http://${host}/`);
  // Only a host and a port; anything else would be read as another part of an address.
  if (url.host !== host.toLowerCase().replace(/:80$/, '')) return false;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const own = hostname().toLowerCase();
  return (
    isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || name === own || name === `${own}.local`
  );
}

/** Whether an address is one of the proxies that are trusted to tell whom they speak for. */
export function proxyMatcher(trustedProxies: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const network of trustedProxies) {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  return (given) => {
    const address = plain(given);
    return (isIPv4(address) && trusted.check(address, 'ipv4')) || (isIPv6(address) && trusted.check(address, 'ipv6'));
  };
}

/** Finds the peer's address behind the proxies that are trusted to tell it. */
export function addressReader(isTrusted: (address: string) => boolean): (request: IncomingMessage) => string {
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
