import { isIPv6 } from 'node:net';

/**
 * What this server takes as its own address in a sign-in proof: the configured origins alone. Without one, the address
 * that it listens on, under the names that a browser on this machine may have for it. Never what a client says (its Host
 * header): a server in the middle would say its own.
 */
export function ownOrigins(
  config: { readonly origin: string | undefined; readonly otherOrigins: readonly string[]; readonly host: string },
  port: number,
): readonly string[] {
  if (config.origin !== undefined) return [config.origin, ...config.otherOrigins];
  const host = isIPv6(config.host) ? `[${config.host}]` : config.host;
  const own = [...new Set([host, 'localhost', '127.0.0.1', '[::1]'])].map((name) => originOf(name, port));
  return [...own, ...config.otherOrigins];
}

function originOf(name: string, port: number): string {
  const url = `http://${name}:${port}`;
  // As browsers write it: without the port where it is the scheme's own.
  return URL.canParse(url) ? new URL(url).origin : url;
}
