import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { logAcceptErrors } from '../accept-errors.ts';
import { addressGroup } from '../address-group.ts';
import { Places } from '../places.ts';
import { LIMITS } from './limits.ts';
import type { Log } from './log.ts';
import { firstFrame, isBindingRequest, StunSuccess } from './stun-frame.ts';

export interface TcpFrontOptions {
  readonly ip: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Where the worker listens on the loopback address. */
  readonly workerPort: number;
  readonly log: Log;
  /** Replaces bounds, for tests. */
  readonly bounds?: Partial<Bounds>;
}

export interface Bounds {
  readonly proofMs: number;
  readonly idleMs: number;
  readonly unproven: number;
  readonly unprovenPerAddress: number;
  readonly proven: number;
  readonly provenPerAddress: number;
}

const BOUNDS: Bounds = {
  proofMs: LIMITS.tcpProof.value,
  idleMs: LIMITS.tcpIdle.value,
  unproven: LIMITS.tcpUnproven.value,
  unprovenPerAddress: LIMITS.tcpUnprovenPerAddress.value,
  proven: LIMITS.tcpProven.value,
  provenPerAddress: LIMITS.tcpProvenPerAddress.value,
};
const LOOPBACK = '127.0.0.1';

/**
 * The public TCP port of a media worker. The worker itself bounds neither the number of its connections nor their time,
 * and ends when it runs out of file descriptors, so it listens on the loopback address alone. A connection reaches it
 * after a first frame (RFC 4571) that is a STUN Binding request, and stays only if the worker answers one with success
 * in time, which takes the ICE credentials of a call (RFC 8445 section 7.3).
 */
export class TcpFront {
  readonly #server: Server;
  readonly #workerPort: number;
  readonly #bounds: Bounds;
  readonly #unproven: Places<Socket>;
  /** With the address group that each counts for. */
  readonly #proven = new Map<Socket, string>();

  /** @throws Error if the port is taken */
  static async listen(options: TcpFrontOptions): Promise<TcpFront> {
    const front = new TcpFront(options);
    front.#server.listen({ host: options.ip, port: options.port });
    await once(front.#server, 'listening');
    logAcceptErrors(front.#server, options.log, 'the TCP port for media could not take a connection');
    return front;
  }

  private constructor({ workerPort, bounds }: TcpFrontOptions) {
    this.#workerPort = workerPort;
    this.#bounds = { ...BOUNDS, ...bounds };
    const { unproven, unprovenPerAddress } = this.#bounds;
    this.#unproven = new Places({ total: unproven, ofGroup: () => unprovenPerAddress });
    this.#server = createServer({ noDelay: true }, (client) => this.#arrived(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): { readonly unproven: number; readonly proven: number } {
    return { unproven: this.#unproven.size, proven: this.#proven.size };
  }

  close(): void {
    this.#server.close();
    for (const client of [...this.#unproven, ...this.#proven.keys()]) client.destroy();
  }

  #arrived(client: Socket): void {
    client.on('error', () => client.destroy());
    // Someone who belongs here needs one round trip; of a crowd, whoever has waited longest is the least likely to.
    this.#unproven.enter(client, addressGroup(client.remoteAddress ?? ''))?.destroy();
    const late = setTimeout(() => client.destroy(), this.#bounds.proofMs);
    late.unref();
    client.once('close', () => {
      clearTimeout(late);
      this.#unproven.leave(client);
      this.#proven.delete(client);
    });
    this.#greet(client, () => clearTimeout(late));
  }

  /** Reads up to the end of the first frame, and opens the way to the worker if it is what it must be. */
  #greet(client: Socket, proven: () => void): void {
    let head: Buffer = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const frame = firstFrame(head);
      if (frame === 'incomplete') return;
      client.off('data', read);
      client.pause();
      if (frame === 'too-long' || !isBindingRequest(frame)) return void client.destroy();
      this.#connect(client, head, proven);
    };
    client.on('data', read);
  }

  #connect(client: Socket, head: Buffer, proven: () => void): void {
    const worker = connect({ host: LOOPBACK, port: this.#workerPort, noDelay: true });
    const answers = new StunSuccess();
    const watch = (chunk: Buffer) => {
      if (!answers.seenIn(chunk)) return;
      worker.off('data', watch);
      proven();
      this.#admit(client);
    };
    worker.on('error', () => worker.destroy());
    worker.once('close', () => client.destroy());
    client.once('close', () => worker.destroy());
    worker.on('data', watch);
    worker.write(head);
    client.pipe(worker);
    worker.pipe(client);
  }

  #admit(client: Socket): void {
    const address = this.#unproven.groupOf(client);
    if (client.destroyed || address === undefined) return;
    const { proven, provenPerAddress } = this.#bounds;
    const full = this.#proven.size >= proven || countOf(this.#proven, address) >= provenPerAddress;
    if (full) return void client.destroy();
    this.#unproven.leave(client);
    this.#proven.set(client, address);
    this.#closeWhenIdle(client);
  }

  /** What is sent does not count: it goes on to a peer that is gone without a word. */
  #closeWhenIdle(client: Socket): void {
    let before = client.bytesRead;
    const timer = setInterval(() => {
      if (client.bytesRead === before) client.destroy();
      before = client.bytesRead;
    }, this.#bounds.idleMs);
    timer.unref();
    client.once('close', () => clearInterval(timer));
  }
}

function countOf(connections: ReadonlyMap<Socket, string>, address: string): number {
  let count = 0;
  for (const other of connections.values()) if (other === address) count += 1;
  return count;
}
