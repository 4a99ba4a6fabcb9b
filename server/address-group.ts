import { isIPv6 } from 'node:net';

/**
 * What an address counts as, wherever something is counted by address. One household or site has a whole /64 of IPv6
 * addresses, so they count as one (RFC 6177). An IPv4 address counts as itself, also where a socket that listens on IPv6
 * writes it as an IPv6 one (RFC 4291 section 2.5.5.2). What is no address counts as what it is.
 */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address.split('%')[0] ?? '');
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return ipv4(groups[6], groups[7]);
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** The eight numbers of 16 bits that a well-formed IPv6 address is made of. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const [front, back] = [numbersOf(head), numbersOf(tail ?? '')];
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function numbersOf(part: string): number[] {
  return part.split(':').flatMap((group) => {
    if (group === '') return [];
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function ipv4(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
