import type { AddressInfo } from 'node:net';
import { writeAddress } from './address-file.ts';
import { claimFolder } from './claim-folder.ts';
import { compose, type Overrides, type Parts } from './compose.ts';
import { configWarnings, type Config } from './config.ts';
import { createHttp } from './http/app.ts';
import { LIMITS as HTTP } from './http/limits.ts';
import { createMetrics } from './http/metrics.ts';
import { createLog, type Log } from './log.ts';
import { startMaintenance } from './maintenance.ts';
import { requirePossibleMinFree } from './min-free.ts';
import { firstInvitation, invitationLink, ownOrigins } from './modules/accounts/index.ts';
import { createSfu, type Sfu } from './sfu/sfu.ts';
import { AgeClock } from './store/age-clock.ts';
import { keepDatabase } from './store/keep-database.ts';
import { diskSpace } from './store/storage-health.ts';
import { openStore, requireSoundDatabase, type Store } from './store/store.ts';
import { openWhenThere, type Waiting } from './wait-for-database.ts';
import { readVersion } from './version.ts';

export type { Overrides } from './compose.ts';

/** The media worker did not start; the cause says why. */
export class MediaError extends Error {
  override readonly name = 'MediaError';
}

export interface RunningServer {
  /** As people's browsers see it. */
  readonly origin: string;
  readonly port: number;
  readonly store: Store;
  /** A link for the first administrator, as long as nobody has an account. */
  readonly invitationLink: string | null;
  /** Process ids of the media workers; none where calls are off. */
  readonly mediaPids: readonly number[];
  /** Answers what was asked, closes connections and the store. Safe to call twice. */
  close(): Promise<void>;
}

/** How long requests may take to finish when the server ends. Milliseconds. */
const CLOSE_GRACE_MS = 5000;

/**
 * Puts the server together and starts it; with `waiting`, once its database answers. Rejects with AlreadyRunningError,
 * ConfigError, MediaError, or with the system's error where a port is taken.
 */
export async function startServer(
  config: Config,
  overrides: Overrides = {},
  waiting?: Waiting,
): Promise<RunningServer> {
  const log = overrides.log ?? createLog(config.logLevel);
  for (const warning of configWarnings(config)) log.warn(warning);
  /** What ends each part that was started, to be run from the last to the first. */
  const undo: (() => unknown)[] = [];
  try {
    const claim = await claimFolder(config, log);
    undo.push(() => claim?.release());
    if (config.databaseUrl === undefined) requireSoundDatabase(config.dataDir);
    const onError = (error: Error) => log.error({ err: error }, 'the database connection failed');
    const place = { dataDir: config.dataDir, databaseUrl: config.databaseUrl, onError };
    const store = await (waiting ? openWhenThere(place, waiting) : openStore(place));
    undo.push(() => store.close());
    undo.push(await keepDatabase({ store, dataDir: config.dataDir, log }));
    if (store.kind === 'sqlite') await requirePossibleMinFree(config, overrides.diskSpace ?? diskSpace);
    const sfu = await startSfu(config, log);
    undo.push(() => sfu?.close());
    const version = readVersion();
    const now = overrides.now ?? Date.now;
    // A clock of a test runs steadily.
    const steady = overrides.steady ?? overrides.now;
    const ages = await AgeClock.open({ db: store.db, now, log, ...(steady && { steady }) });
    return await serve({ config, overrides, version, log, metrics: createMetrics(), now, ages, store, sfu }, undo);
  } catch (error) {
    await unwind(undo, log);
    throw error;
  }
}

/** Null where calls are off. */
async function startSfu({ media, port }: Config, log: Log): Promise<Sfu | null> {
  if (media.workers === 0) return null;
  const mediaPort = media.port ?? (port === 0 ? 0 : port + 1);
  try {
    return await createSfu({ ...media, port: mediaPort, logger: log });
  } catch (error) {
    throw new MediaError(`The media worker did not start (port ${mediaPort}).`, { cause: error });
  }
}

async function serve(parts: Omit<Parts, 'origins'>, undo: (() => unknown)[]): Promise<RunningServer> {
  const { config, log, metrics, now, store } = parts;
  let ownPort = config.port;
  const composition = compose({ ...parts, origins: () => ownOrigins(config, ownPort) });
  undo.push(() => composition.close());
  let closing: Promise<void> | null = null;
  const { webRoot, metricsToken } = config;
  const https = config.origin?.startsWith('https:') ?? false;
  const http = await createHttp({
    log,
    webRoot,
    https,
    behindProxy: https || config.trustedProxies.length > 0,
    metrics,
    metricsToken,
    isHostAllowed: composition.isHostAllowed,
    addressOf: composition.addressOf,
    requestFactor: parts.overrides.rateLimitFactor ?? 1,
    checks: { ...composition.checks, running: async () => closing === null },
    warnings: () => composition.warnings(),
  });
  undo.push(() => http.close());
  composition.tcpGuard.watch(http.server);
  composition.sockets.listenOn(http.server);
  // The sockets end first: http.close() would wait for them.
  undo.push(() => composition.sockets.close(CLOSE_GRACE_MS));
  await http.listen({ port: config.port, host: config.host, backlog: HTTP.backlog.value });
  undo.push(
    startMaintenance({
      store,
      ages: parts.ages,
      log,
      keepMs: config.storage.keepMs,
      onExpired: composition.tellExpired,
    }),
  );

  const { port } = http.server.address() as AddressInfo;
  ownPort = port;
  const origin = config.origin ?? `http://${hostInUrl(config.host)}:${port}`;
  try {
    undo.push(await writeAddress(config.dataDir, { origin, pid: process.pid, version: parts.version }));
  } catch (error) {
    // The command line then does not find the server, and TEAHOUSE_ORIGIN tells it; people are served all the same.
    log.warn(
      { err: error },
      'the address could not be written to the data folder: set TEAHOUSE_ORIGIN for npm run teahouse',
    );
  }
  const token = await firstInvitation(store.db, config.dataDir, now());
  return {
    origin,
    port,
    store,
    invitationLink: token === null ? null : invitationLink(origin, token),
    mediaPids: parts.sfu?.pids ?? [],
    close: () => (closing ??= unwind(undo, log)),
  };
}

/** From the last part started to the first. A part that fails to end keeps no other from it. */
async function unwind(undo: readonly (() => unknown)[], log: Log): Promise<void> {
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (error) {
      log.error({ err: error }, 'a part of the server did not end cleanly');
    }
  }
}

/** The page that a browser on this machine can open. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
