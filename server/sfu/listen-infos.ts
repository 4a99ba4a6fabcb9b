import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { types } from 'mediasoup';

export interface ListenOptions {
  readonly port: number;
  readonly listenIp: string;
  /** IP or host name that clients are told instead of `listenIp`. */
  readonly announcedAddress?: string | undefined;
}

/** The worker's own TCP listener for one public address. */
export interface TcpListener {
  /** Where `TcpFront` listens for it. */
  readonly publicIp: string;
  readonly info: types.TransportListenInfo;
}

/**
 * UDP on the configured address, and for TCP, which `TcpFront` takes in, any free port on the loopback address. An
 * unspecified address (0.0.0.0, ::) means nothing to a client, so without an announced one each address of this machine
 * is listened on and offered.
 */
export function listenInfos(
  options: ListenOptions,
  interfaces = networkInterfaces,
): { readonly udp: types.TransportListenInfo[]; readonly tcp: TcpListener[] } {
  const { port, listenIp, announcedAddress } = options;
  const unspecified = listenIp === '0.0.0.0' || listenIp === '::';
  const ips = unspecified && announcedAddress === undefined ? localAddresses(listenIp, interfaces()) : [listenIp];
  return {
    udp: ips.map((ip) => ({
      protocol: 'udp',
      ip,
      port,
      ...(announcedAddress === undefined ? {} : { announcedAddress }),
    })),
    tcp: ips.map((ip) => ({
      publicIp: ip,
      info: { protocol: 'tcp', ip: '127.0.0.1', port: 0, announcedAddress: announcedAddress ?? ip },
    })),
  };
}

/** Outside addresses first, since candidates are offered in this order. IPv6 link-local ones need a zone, so they are left out. */
function localAddresses(listenIp: string, interfaces: ReturnType<typeof networkInterfaces>): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ address }) => (!isIPv6(address) || isIPv6(listenIp)) && !/^fe[89ab]/i.test(address));
  usable.sort((a, b) => Number(a.internal) - Number(b.internal));
  return [...new Set(usable.map(({ address }) => address))];
}
