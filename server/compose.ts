import type { IncomingMessage } from 'node:http';
import type { UserId } from '../protocol/ids.ts';
import { busEvents } from './bus/bus-events.ts';
import { localBus } from './bus/local-bus.ts';
import type { Config } from './config.ts';
import type { ReadinessCheck } from './http/health.ts';
import type { Metrics } from './http/metrics.ts';
import { TcpGuard } from './http/tcp-guard.ts';
import type { Log } from './log.ts';
import {
  accountsModule,
  bindSession,
  deleteDeviceSessions,
  PasswordHasher,
  requireStanding,
  sessionAuthenticator,
  SignInLimits,
  usersExist,
} from './modules/accounts/index.ts';
import { callsModule, systemClock } from './modules/calls/index.ts';
import { chatModule, ChatStore, defaultQuotas, type Quotas } from './modules/chat/index.ts';
import { contactsModule } from './modules/contacts/index.ts';
import { DeviceDirectory, devicesModule } from './modules/devices/index.ts';
import type { Sfu } from './sfu/sfu.ts';
import { guardAuthenticator, guardStorage } from './storage-guard.ts';
import type { Trx } from './store/schema.ts';
import type { AgeClock } from './store/age-clock.ts';
import { StorageHealth, type DiskSpace } from './store/storage-health.ts';
import type { Store } from './store/store.ts';
import { Closings } from './ws/closings.ts';
import { Dispatcher } from './ws/dispatcher.ts';
import { EventHub } from './ws/event-hub.ts';
import { LIMITS as WS } from './ws/limits.ts';
import type { CallerSession } from './ws/method.ts';
import { requireEveryMethod } from './ws/every-method.ts';
import type { ServerModule } from './ws/module.ts';
import { addressReader, isHostAllowed, isOriginAllowed, proxyMatcher } from './ws/origin.ts';
import { pingMethod } from './ws/ping.ts';
import { RateLimits } from './ws/rate-limits.ts';
import { Replay } from './ws/replay.ts';
import { SocketServer } from './ws/socket-server.ts';

/** What tests and benches choose for themselves. */
export interface Overrides {
  readonly log?: Log;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  /** Milliseconds; monotonic. */
  readonly steady?: () => number;
  /** Widens every rate limit; 1 in production. */
  readonly rateLimitFactor?: number;
  /** Milliseconds. */
  readonly heartbeatMs?: number;
  readonly helloTimeoutMs?: number;
  readonly diskSpace?: DiskSpace;
  readonly quotas?: Partial<Quotas>;
}

/** What the modules and the socket are put together from. */
export interface Parts {
  readonly config: Config;
  readonly overrides: Overrides;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** By which things are too old. */
  readonly ages: AgeClock;
  readonly store: Store;
  /** Null where calls are off. */
  readonly sfu: Sfu | null;
  /** The addresses of this server that a sign-in proof may name; asked for once it listens. */
  readonly origins: () => readonly string[];
}

export interface Composition {
  readonly sockets: SocketServer;
  readonly tcpGuard: TcpGuard;
  /** Whether an HTTP request names a host that this server answers for. */
  readonly isHostAllowed: (request: IncomingMessage) => boolean;
  /** The address of whoever a request is from, behind trusted proxies. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** What /readyz asks. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** What /readyz says besides: the server serves, but not everything. */
  warnings(): readonly string[];
  /** Tells these accounts that messages were not kept for them. */
  readonly tellExpired: (users: ReadonlySet<UserId>) => void;
  /** Ends the modules, once no request is under way. */
  close(): Promise<void>;
}

/** Gives every module what it needs, and the socket every module's methods. The one place that knows all modules. */
export function compose(parts: Parts): Composition {
  const { config, log, metrics, now, store, sfu, version } = parts;
  const bus = localBus((error, topic) => log.error({ err: error, topic }, 'a listener of the bus failed'));
  const hub = new EventHub(bus, now, (event, characters) => {
    metrics.eventLost(event);
    log.error({ event, characters }, 'an event is too long for a frame');
  });
  const replay = new Replay();
  const closings = new Closings(log);
  closings.onClosed(({ connectionId }) => replay.forget(connectionId));
  const health = new StorageHealth({ store, log, dataDir: config.dataDir, ...diskOptions(parts) });
  const { modules, waiting, tellExpired } = composeModules(parts, bus, closings, hub);
  const methods = [pingMethod, ...modules.flatMap((module) => module.methods)];
  requireEveryMethod(methods, sfu !== null);
  const dispatcher = new Dispatcher({
    methods: methods.map((method) => guardStorage(method, health)),
    hello: {
      authenticator: guardAuthenticator(
        sessionAuthenticator(store, bus, now, config.sessionLifetime, parts.ages.now),
        health,
      ),
      hub,
      version,
      organisation: config.organisation,
      now,
    },
    onBehalfOf: (payer, work) => store.onBehalfOf(payer, work),
    limits: new RateLimits(parts.overrides.rateLimitFactor ?? 1),
    replay,
    observer: metrics,
    log,
  });
  const isProxy = proxyMatcher(config.trustedProxies);
  const tcpGuard = new TcpGuard({ log, isProxy });
  const addressOf = addressReader(isProxy);
  const sockets = composeSockets(parts, dispatcher, hub, closings, tcpGuard, addressOf);
  metrics.watch({
    connections: () => sockets.connectionCount,
    strangers: () => sockets.strangerCount,
    plainSockets: () => tcpGuard.size,
    requestsInFlight: () => dispatcher.inFlight,
    messagesWaiting: waiting,
    rooms: () => sfu?.rooms ?? 0,
    storageFull: () => (health.full ? 1 : 0),
    diskFree: () => health.free,
  });
  return {
    sockets,
    tcpGuard,
    addressOf,
    // A proxy asks for what it was configured to ask for; which names lead to it is its own affair.
    isHostAllowed: ({ headers, socket }) =>
      isProxy(socket.remoteAddress ?? '') || isHostAllowed(headers.host, publicOrigins(config)),
    checks: {
      store: () => health.ready(),
      ...(sfu ? { media: async () => sfu.healthy } : {}),
    },
    warnings: () => (health.full ? ['storage_full'] : []),
    tellExpired,
    async close() {
      await health.close();
      for (const module of modules) await module.close?.();
      hub.close();
      await bus.close();
    },
  };
}

function diskOptions({ config, overrides }: Parts) {
  const { diskSpace } = overrides;
  return { minFree: config.storage.minFreeBytes, ...(diskSpace ? { diskSpace } : {}) };
}

/** Where people reach this server; none where that was not configured. */
function publicOrigins({ origin, otherOrigins }: Config): readonly string[] {
  return origin === undefined ? [] : [origin, ...otherOrigins];
}

/** Every module of the server. */
export function composeModules(parts: Parts, bus: ReturnType<typeof localBus>, closings: Closings, hub: EventHub) {
  const { config, overrides, log, now, store, sfu } = parts;
  const events = busEvents(bus);
  const directory = new DeviceDirectory(store.kind);
  const chatStore = new ChatStore(store.kind);
  const standing = (trx: Trx, session: CallerSession) => requireStanding(trx, store.kind, session);
  const passwords = new PasswordHasher();
  const signInLimits = new SignInLimits(parts.overrides.rateLimitFactor ?? 1);
  const chat = chatModule({
    store,
    chatStore,
    events,
    now,
    log,
    quotas: { ...defaultQuotas(config.storage.maxQueuedBytes, overrides.rateLimitFactor ?? 1), ...overrides.quotas },
    devicesOf: (trx, users) => directory.devicesOf(trx, users),
  });
  const modules: ServerModule[] = [
    accountsModule({
      store,
      bus,
      events,
      now,
      agesBy: parts.ages.now,
      organisation: config.organisation,
      origins: parts.origins,
      passwords,
      signInLimits,
      sessionLifetime: config.sessionLifetime,
      liveSessions: () => hub.liveSessions(),
      devicesGone: chat.devicesGone,
      log,
    }),
    contactsModule({ store, events, requireStanding: standing }),
    devicesModule({
      store,
      bus,
      events,
      now,
      requireStanding: standing,
      bindSession,
      deleteDeviceSessions,
      isQueueInUse: (trx, userId, deviceId) => chatStore.isInUse(trx, userId, deviceId),
      devicesGone: chat.devicesGone,
    }),
    chat,
  ];
  if (sfu) {
    const exist = (users: Parameters<typeof usersExist>[1]) => usersExist(store.db, users);
    const options = { sfu, events, connections: closings, usersExist: exist, logger: log, clock: systemClock };
    modules.push(callsModule(options));
  }
  return { modules, waiting: chat.waiting, tellExpired: chat.tellExpired };
}

function composeSockets(
  parts: Parts,
  dispatcher: Dispatcher,
  hub: EventHub,
  closings: Closings,
  tcpGuard: TcpGuard,
  addressOf: (request: IncomingMessage) => string,
): SocketServer {
  const { config, overrides, log } = parts;
  return new SocketServer({
    dispatcher,
    hub,
    closings,
    log,
    isAllowed: ({ headers }) => isOriginAllowed(headers.origin, headers.host, publicOrigins(config)),
    onUpgraded: (socket) => tcpGuard.release(socket),
    addressOf,
    budgetFactor: overrides.rateLimitFactor ?? 1,
    helloTimeoutMs: overrides.helloTimeoutMs ?? WS.helloWait.value,
    ...(overrides.heartbeatMs === undefined ? {} : { heartbeatMs: overrides.heartbeatMs }),
  });
}
