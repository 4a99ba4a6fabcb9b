/*
 * What the composition root calls:
 *
 *   import { createSfu, type Sfu, type SfuOptions } from './sfu/sfu.ts';
 *   createSfu(options: {
 *     workers?: number;           // worker processes; default one per core, 1 below 4 cores
 *     port: number;               // worker i listens on port + i, UDP and TCP
 *     listenIp: string;           // '0.0.0.0' or '::' without announcedAddress: every address of this machine
 *     announcedAddress?: string;  // IP or host name that clients are told instead of listenIp
 *     workerBin?: string;         // default: MEDIASOUP_WORKER_BIN, else mediasoup's own
 *     logger: Log;                // pino's logger fits: debug, info, warn, error with (fields, message)
 *   }): Promise<Sfu>;             // rejects if a worker cannot start or a port is taken
 *   sfu.close(): Promise<void>;   // after every module was closed
 *   sfu.healthy: boolean;         // for /readyz: at least one worker is running
 *   sfu.rooms: number;            // for /metrics
 *
 *   import { callsModule, systemClock } from './modules/calls/index.ts';
 *   callsModule(options: {
 *     sfu: Sfu;
 *     events: EventSink;
 *     connections: ConnectionEvents;
 *     usersExist: (users: readonly UserId[]) => Promise<boolean>;
 *     logger: Log;
 *     clock: Clock;               // systemClock in production
 *   }): ServerModule;             // its close() ends every call
 */
export { systemClock, type Clock } from './clock.ts';
