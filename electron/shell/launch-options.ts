import { DEEP_LINK_SCHEME, ServerOrigin } from '../../protocol/ipc/server-address.ts';

export interface LaunchOptions {
  /** Holds for this run only and is not kept. */
  readonly serverOrigin: string | null;
  /** Where a development server gives the interface. */
  readonly devServer: string | null;
}

export class LaunchOptionsError extends Error {
  override readonly name = 'LaunchOptionsError';
}

/** A link that another program handed over. What stands beside it on the command line may be its author's too. */
const HANDED_OVER = new RegExp(`^${DEEP_LINK_SCHEME}:`, 'i');

/**
 * Reads `--server=<origin>` or TEAHOUSE_SERVER, and ELECTRON_RENDERER_URL, which an installed app ignores: whoever can set
 * another program's environment shall not replace its interface. An argument `--server=` beside a deep link is ignored.
 * @throws LaunchOptionsError if the server is not an origin; its text says what to do.
 */
export function readLaunchOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  isPackaged: boolean,
): LaunchOptions {
  const own = argv.some((text) => HANDED_OVER.test(text)) ? [] : argv;
  const argument = own.findLast((text) => text.startsWith('--server='))?.slice('--server='.length);
  const wanted = (argument ?? environment['TEAHOUSE_SERVER'] ?? '').replace(/\/$/, '');
  const origin = wanted === '' ? null : ServerOrigin.safeParse(wanted);
  if (origin?.success === false) {
    throw new LaunchOptionsError(
      'The server must be given as https://host or https://host:port (http only on this machine), in --server= or TEAHOUSE_SERVER.',
    );
  }
  const devServer = isPackaged ? undefined : environment['ELECTRON_RENDERER_URL'];
  return { serverOrigin: origin?.data ?? null, devServer: devServer || null };
}
