import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';

/** A setting is wrong; `message` says which, and what to do, for the person who starts the server. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const port = (what: string) =>
  z.coerce
    .number({ error: `${what} must be a number from 0 to 65535 (0 picks a free one).` })
    .int(`${what} must be a whole number.`)
    .min(0, `${what} must be from 0 to 65535.`)
    .max(65_535, `${what} must be from 0 to 65535.`);

const wholeNumber = (what: string, least: number, most: number) =>
  z.coerce
    .number({ error: `${what} must be a number from ${least} to ${most}.` })
    .int(`${what} must be a whole number.`)
    .min(least, `${what} must be at least ${least}.`)
    .max(most, `${what} must be at most ${most}.`);

/** As `oneLine` of the protocol; a setting has words of its own for what is wrong. */
const ONE_LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u;

const DAY_MS = 86_400_000;
const days = (what: string) => wholeNumber(what, 1, 3650);

const Origin = z
  .string()
  .transform((text) => text.replace(/\/+$/, ''))
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text, {
    message: 'The public origin must be like https://teahouse.example.org: scheme and host, nothing after.',
  });

/** Further addresses of this server, separated by commas. */
const Origins = z
  .string()
  .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
  .pipe(z.array(Origin).max(20, 'At most 20 further addresses.'));

/** An address or a network, such as 10.0.0.0/8. */
const Network = z.string().refine(
  (text) => {
    const [address = '', bits, ...rest] = text.split('/');
    const family = isIP(address);
    return (
      family !== 0 &&
      rest.length === 0 &&
      (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
    );
  },
  { message: 'Trusted proxies must be IP addresses or networks such as 10.0.0.0/8, separated by commas.' },
);

const Networks = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .pipe(z.array(Network));

const Settings = z.object({
  data: z.string().min(1, 'The data folder must be a path.').default('data'),
  port: port('The port').default(8420),
  host: z
    .string()
    .min(1, 'The host must be an address to listen on, such as 127.0.0.1 or 0.0.0.0.')
    .default('127.0.0.1'),
  databaseUrl: z
    .string()
    .refine((text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol), {
      message:
        'It must be like postgres://user:password@host:5432/teahouse. Leave it away to use the embedded database.',
    })
    .optional(),
  origin: Origin.optional(),
  otherOrigins: Origins.default([]),
  organisation: z
    .string()
    .trim()
    .min(1)
    .max(80, 'The organisation’s name must have at most 80 characters.')
    .regex(ONE_LINE, 'The organisation’s name must be one line of text.')
    .default('Teahouse'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'It must be one of trace, debug, info, warn, error, fatal, silent.',
    })
    .default('info'),
  trustedProxies: Networks.default([]),
  metricsToken: z.string().min(16, 'The token for /metrics must have at least 16 characters.').optional(),
  webRoot: z.string().min(1).optional(),
  minFreeMb: wholeNumber('The space to leave free, in MB,', 0, 10_000_000).optional(),
  keepDays: wholeNumber('The days to keep messages for a device', 1, 3650).default(90),
  maxQueuedMb: wholeNumber('The space for messages that wait, in MB,', 1, 100_000_000).default(10_240),
  mediaHost: z
    .string()
    .refine((text) => isIP(text) !== 0, 'It must be an IP address of this machine, or 0.0.0.0 for all.')
    .optional(),
  mediaPort: port('The media port').optional(),
  mediaAddress: z.string().min(1, 'It must be the address or host name that clients reach this machine by.').optional(),
  sessionIdleDays: days('Days until an unused session ends').default(30),
  sessionMaxDays: days('Days until a session ends').default(180),
  mediaWorkers: z.coerce.number().int().min(0).max(256, 'It must be from 0 (no calls) to 256.').optional(),
});

type Setting = keyof z.infer<typeof Settings>;

/** Where each setting comes from: the environment, and for most a flag that goes before it. */
const SOURCES: Readonly<Record<Setting, { readonly env: string; readonly flag?: string }>> = {
  data: { env: 'TEAHOUSE_DATA', flag: 'data' },
  port: { env: 'TEAHOUSE_PORT', flag: 'port' },
  host: { env: 'TEAHOUSE_HOST', flag: 'host' },
  databaseUrl: { env: 'DATABASE_URL' },
  origin: { env: 'TEAHOUSE_ORIGIN', flag: 'origin' },
  otherOrigins: { env: 'TEAHOUSE_OTHER_ORIGINS' },
  organisation: { env: 'TEAHOUSE_ORGANISATION', flag: 'organisation' },
  logLevel: { env: 'TEAHOUSE_LOG_LEVEL', flag: 'log-level' },
  trustedProxies: { env: 'TEAHOUSE_TRUSTED_PROXIES' },
  metricsToken: { env: 'TEAHOUSE_METRICS_TOKEN' },
  webRoot: { env: 'TEAHOUSE_WEB_ROOT' },
  minFreeMb: { env: 'TEAHOUSE_MIN_FREE_MB' },
  keepDays: { env: 'TEAHOUSE_KEEP_DAYS' },
  maxQueuedMb: { env: 'TEAHOUSE_MAX_QUEUED_MB' },
  mediaHost: { env: 'TEAHOUSE_MEDIA_HOST' },
  mediaPort: { env: 'TEAHOUSE_MEDIA_PORT', flag: 'media-port' },
  mediaAddress: { env: 'TEAHOUSE_MEDIA_ADDRESS', flag: 'media-address' },
  sessionIdleDays: { env: 'TEAHOUSE_SESSION_IDLE_DAYS' },
  sessionMaxDays: { env: 'TEAHOUSE_SESSION_MAX_DAYS' },
  mediaWorkers: { env: 'TEAHOUSE_MEDIA_WORKERS' },
};

export interface Config {
  /** Absolute path. */
  readonly dataDir: string;
  readonly port: number;
  readonly host: string;
  /** PostgreSQL; the embedded database if undefined. */
  readonly databaseUrl: string | undefined;
  /** As people's browsers see this server; undefined: http at the listening address. */
  readonly origin: string | undefined;
  /** Further addresses by which people reach it: a tunnel, a mapped port, an internal name. */
  readonly otherOrigins: readonly string[];
  readonly organisation: string;
  readonly logLevel: z.infer<typeof Settings>['logLevel'];
  readonly trustedProxies: readonly string[];
  /** Lets a scraper that is not on this machine read /metrics. */
  readonly metricsToken: string | undefined;
  /** Milliseconds: how long a session lasts without being used, and in all. */
  readonly sessionLifetime: { readonly idleMs: number; readonly maxMs: number };
  /** Folder of the built web client. */
  readonly webRoot: string;
  readonly storage: {
    /** What sends leave free where the data folder is; undefined: `LIMITS` of the store say. */
    readonly minFreeBytes: number | undefined;
    /** How long a message waits for a device. Milliseconds. */
    readonly keepMs: number;
    /** What may wait for all devices together. */
    readonly maxQueuedBytes: number;
  };
  readonly media: {
    readonly listenIp: string;
    /** Of the first worker, UDP and TCP; undefined: the port after the server's own. */
    readonly port: number | undefined;
    readonly announcedAddress: string | undefined;
    /** Undefined: by the number of cores. Zero: no calls on this server. */
    readonly workers: number | undefined;
  };
}

/** Reads flags and environment. Throws ConfigError. */
export function readConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const flags = readFlags(argv);
  const given: Record<string, string> = {};
  for (const [name, { env: variable, flag }] of Object.entries(SOURCES)) {
    const value = (flag ? flags[flag] : undefined) ?? env[variable];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = Settings.safeParse(given);
  if (!parsed.success) throw new ConfigError(explain(parsed.error.issues));
  return complete(parsed.data);
}

function readFlags(argv: readonly string[]): Record<string, string | undefined> {
  const options: Record<string, { type: 'string' }> = {};
  for (const { flag } of Object.values(SOURCES)) if (flag) options[flag] = { type: 'string' };
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values as Record<string, string | undefined>;
  } catch (error) {
    const known = Object.keys(options)
      .map((flag) => `--${flag}`)
      .join(' ');
    throw new ConfigError(`${(error as Error).message.split('.')[0]}. Known flags: ${known}`);
  }
}

/** One line for each wrong setting. Never the value: some are secrets. */
function explain(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .map((issue) => {
      const { env, flag } = SOURCES[issue.path[0] as Setting];
      return `${flag ? `--${flag} (or ${env})` : env}: ${issue.message}`;
    })
    .join('\n');
}

function complete(settings: z.infer<typeof Settings>): Config {
  const loopback = LOOPBACK.has(settings.host);
  return {
    dataDir: resolve(settings.data),
    port: settings.port,
    host: settings.host,
    databaseUrl: settings.databaseUrl,
    origin: settings.origin,
    otherOrigins: settings.otherOrigins,
    organisation: settings.organisation,
    logLevel: settings.logLevel,
    trustedProxies: settings.trustedProxies,
    metricsToken: settings.metricsToken,
    webRoot: resolve(settings.webRoot ?? join(import.meta.dirname, '../out/renderer')),
    storage: {
      minFreeBytes: settings.minFreeMb === undefined ? undefined : settings.minFreeMb * 1_000_000,
      keepMs: settings.keepDays * DAY_MS,
      maxQueuedBytes: settings.maxQueuedMb * 1_000_000,
    },
    sessionLifetime: { idleMs: settings.sessionIdleDays * DAY_MS, maxMs: settings.sessionMaxDays * DAY_MS },
    media: {
      listenIp: settings.mediaHost ?? (loopback ? '127.0.0.1' : isIP(settings.host) ? settings.host : '0.0.0.0'),
      port: settings.mediaPort,
      announcedAddress: settings.mediaAddress,
      workers: settings.mediaWorkers,
    },
  };
}

/** What is probably not meant, in words for the log. */
export function configWarnings({ origin, trustedProxies }: Config): readonly string[] {
  // This server speaks plain HTTP itself, so an https origin says that a proxy stands before it.
  if (!origin?.startsWith('https:') || trustedProxies.length > 0) return [];
  return [
    'The origin is https, so a proxy stands before this server, but TEAHOUSE_TRUSTED_PROXIES is empty: ' +
      'everybody seems to come from the proxy’s address and shares its limits of requests. ' +
      'Set it to the network of the proxy, for example 127.0.0.1/32.',
  ];
}
