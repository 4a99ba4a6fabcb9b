import { createWorker, type types } from 'mediasoup';
import { MEDIA_CODECS } from './codecs.ts';
import { listenInfos, type ListenOptions } from './listen-infos.ts';
import type { Log } from './log.ts';
import { refusing } from './rejection.ts';
import { Room, type RoomListener } from './room.ts';
import { TcpFront } from './tcp-front.ts';

export interface MediaWorkerOptions extends ListenOptions {
  readonly workerBin?: string | undefined;
  readonly logger: Log;
  /** Called once if the process ends without having been told to. */
  readonly died: (worker: MediaWorker) => void;
}

/** One mediasoup process with its one port, and the rooms on it. */
export class MediaWorker {
  readonly #worker: types.Worker;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #fronts: readonly TcpFront[];
  /** The public TCP port for each of the worker's own. */
  readonly #publicPorts: ReadonlyMap<number, number>;
  readonly #rooms = new Set<Room>();
  /** Rooms asked for whose router is not there yet. */
  #creating = 0;

  /** @throws Error if the process cannot start or the port is taken */
  static async start(options: MediaWorkerOptions): Promise<MediaWorker> {
    const { workerBin, logger: log } = options;
    const worker = await createWorker({ logLevel: 'error', ...(workerBin === undefined ? {} : { workerBin }) });
    const fronts: TcpFront[] = [];
    try {
      const { udp, tcp } = listenInfos(options);
      const webRtcServer = await worker.createWebRtcServer({ listenInfos: [...udp, ...tcp.map(({ info }) => info)] });
      const { udpSockets, tcpServers } = await webRtcServer.dump();
      const publicPorts = new Map<number, number>();
      for (const [index, { publicIp }] of tcp.entries()) {
        const [mine, workers] = [udpSockets[index]?.port, tcpServers[index]?.port];
        if (mine === undefined || workers === undefined) throw new Error('the media worker does not listen');
        const front = await listenBeside({ ip: publicIp, port: mine, workerPort: workers, log }, options.port === 0);
        fronts.push(front);
        publicPorts.set(workers, front.port);
      }
      const created = new MediaWorker({ worker, webRtcServer, fronts, publicPorts });
      worker.on('died', () => {
        created.#closeFronts();
        options.died(created);
      });
      if (worker.died) throw new Error('the media worker ended while it started');
      return created;
    } catch (error) {
      for (const front of fronts) front.close();
      worker.close();
      throw error;
    }
  }

  private constructor(parts: {
    readonly worker: types.Worker;
    readonly webRtcServer: types.WebRtcServer;
    readonly fronts: readonly TcpFront[];
    readonly publicPorts: ReadonlyMap<number, number>;
  }) {
    this.#worker = parts.worker;
    this.#webRtcServer = parts.webRtcServer;
    this.#fronts = parts.fronts;
    this.#publicPorts = parts.publicPorts;
  }

  get pid(): number {
    return this.#worker.pid;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  /** Participants, and a little for each room, so that rooms about to fill are spread too. */
  get load(): number {
    const peers = [...this.#rooms].reduce((sum, room) => sum + room.peers.length, 0);
    return peers + this.#rooms.size + this.#creating;
  }

  async createRoom(listener: RoomListener): Promise<Room> {
    this.#creating += 1;
    try {
      const room: Room = await refusing('the room', async () =>
        Room.create({
          router: await this.#worker.createRouter({ mediaCodecs: MEDIA_CODECS }),
          webRtcServer: this.#webRtcServer,
          publicTcpPort: (port) => this.#publicPorts.get(port) ?? port,
          listener,
          closed: () => this.#rooms.delete(room),
        }),
      );
      this.#rooms.add(room);
      return room;
    } finally {
      this.#creating -= 1;
    }
  }

  /** What the process itself says it holds; for tests and for finding leaks. */
  async dump(): Promise<{ readonly routers: number; readonly transports: number }> {
    const [worker, server] = await Promise.all([this.#worker.dump(), this.#webRtcServer.dump()]);
    return { routers: worker.routerIds.length, transports: server.webRtcTransportIds.length };
  }

  /** Milliseconds the process took to answer; rejects if it is gone. */
  async ping(): Promise<number> {
    const start = performance.now();
    await this.#worker.getResourceUsage();
    return performance.now() - start;
  }

  close(): void {
    this.#closeFronts();
    this.#worker.close();
  }

  #closeFronts(): void {
    for (const front of this.#fronts) front.close();
  }
}

/** On the number of the UDP port; where that was a free one and TCP's is taken, on any other. */
async function listenBeside(options: Parameters<typeof TcpFront.listen>[0], anyPort: boolean): Promise<TcpFront> {
  try {
    return await TcpFront.listen(options);
  } catch (error) {
    if (!anyPort || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return TcpFront.listen({ ...options, port: 0 });
  }
}
