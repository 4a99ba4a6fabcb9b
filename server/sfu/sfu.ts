import { availableParallelism } from 'node:os';
import { ortc } from 'mediasoup';
import { RtpCapabilities } from '../../protocol/media.ts';
import { MEDIA_CODECS } from './codecs.ts';
import type { Log } from './log.ts';
import type { Room, RoomListener } from './room.ts';
import { type Watchdog, WorkerPool } from './worker-pool.ts';

export interface SfuOptions {
  /** Worker processes; default one per core, 1 below 4 cores. */
  readonly workers?: number | undefined;
  /** Worker i listens on `port + i`, UDP and TCP; with 0 each on any free port. */
  readonly port: number;
  /** With '0.0.0.0' or '::' and no announced address, every address of this machine. */
  readonly listenIp: string;
  /** IP or host name that clients are told instead of `listenIp`. */
  readonly announcedAddress?: string | undefined;
  /** The worker's executable; default MEDIASOUP_WORKER_BIN, else mediasoup's own. */
  readonly workerBin?: string | undefined;
  readonly logger: Log;
  /** When a worker counts as hung; default asked every 5 s, replaced after 10 s of silence. */
  readonly watchdog?: Watchdog | undefined;
}

/** The selective forwarding unit: rooms on worker processes. Nothing of mediasoup shows through. */
export interface Sfu {
  /** The same for every room, so that a client can load its device before it joins. */
  readonly rtpCapabilities: RtpCapabilities;
  /** Rooms on the workers now. */
  readonly rooms: number;
  /** Whether a room could be made now. */
  readonly healthy: boolean;
  /** Process ids of the running workers. */
  readonly pids: readonly number[];
  /** @throws ProtocolError `unavailable` if no worker is running, nor soon will */
  createRoom(listener: RoomListener): Promise<Room>;
  /** What the worker processes themselves say they hold. */
  dump(): Promise<{ readonly routers: number; readonly transports: number }>;
  close(): Promise<void>;
}

/** Starts the workers. Rejects if one cannot start, for example because its port is taken. */
export async function createSfu(options: SfuOptions): Promise<Sfu> {
  const pool = await WorkerPool.start({ ...options, workers: options.workers ?? defaultWorkers() });
  return {
    rtpCapabilities: RtpCapabilities.parse(ortc.generateRouterRtpCapabilities(MEDIA_CODECS)),
    get rooms() {
      return pool.workers.reduce((sum, worker) => sum + worker.rooms, 0);
    },
    get healthy() {
      return pool.workers.length > 0;
    },
    get pids() {
      return pool.workers.map(({ pid }) => pid);
    },
    createRoom: async (listener) => (await pool.leastLoaded()).createRoom(listener),
    dump: async () => {
      const dumps = await Promise.all(pool.workers.map((worker) => worker.dump()));
      return {
        routers: dumps.reduce((sum, { routers }) => sum + routers, 0),
        transports: dumps.reduce((sum, { transports }) => sum + transports, 0),
      };
    },
    close: async () => pool.close(),
  };
}

/** On a small machine the rest of the server needs the other cores more. */
function defaultWorkers(): number {
  const cores = availableParallelism();
  return cores < 4 ? 1 : cores;
}
