import type { types } from 'mediasoup';
import { LIMITS } from './limits.ts';

/** Bytes since the transport began. */
interface Totals {
  readonly received: number;
  /** Of `received`, what no producer took: feedback, ICE, and what belongs to nothing. */
  readonly stray: number;
  readonly accepted: number;
  readonly sent: number;
  /** Retransmissions, which the receiver asks for. */
  readonly resent: number;
}

const NOTHING: Totals = { received: 0, stray: 0, accepted: 0, sent: 0, resent: 0 };
/** A worker's answer has 4 MiB at most, and names some 64 bytes for each source; a packet of one has 30 or more. */
const STRAY_THAT_CAN_BE_LISTED = 1_250_000;

export interface MeteredTransports {
  readonly send: types.WebRtcTransport;
  readonly receive: types.WebRtcTransport;
}

/** What a participant does to the media worker beyond anything a call needs. */
export type Flood = 'bytes' | 'packets' | 'strays' | 'sources' | 'retransmissions';

/**
 * Measures one participant. mediasoup's `maxIncomingBitrate` is only told to the sender, who may ignore it, and it
 * remembers every SSRC that names a known `mid` for as long as the producer lives.
 */
export class TrafficMeter {
  readonly #transports: MeteredTransports;
  readonly #packetCount: () => Promise<number>;
  readonly #received = new Bucket(LIMITS.receivedBurst.value);
  readonly #strays = new Bucket(LIMITS.strayBurst.value);
  readonly #packets = new Bucket(LIMITS.packetsBurst.value);
  readonly #resent = new Bucket(LIMITS.resentBurst.value);
  #at = performance.now();
  #up = NOTHING;
  #down = NOTHING;
  #packetsBefore = 0;
  #countedAt = this.#at;
  #strayUnlisted = 0;

  /** @param packetCount packets taken by all producers there are */
  constructor(transports: MeteredTransports, packetCount: () => Promise<number>) {
    this.#transports = transports;
    this.#packetCount = packetCount;
  }

  /** Looks at what came and went since the last time. Rejects if the worker or a transport is gone. */
  async check(): Promise<Flood | null> {
    const { send, receive } = this.#transports;
    const [up, down] = await Promise.all([totalsOf(send), totalsOf(receive)]);
    const seconds = (performance.now() - this.#at) / 1_000;
    this.#at += seconds * 1_000;
    const [upBefore, downBefore] = [this.#up, this.#down];
    [this.#up, this.#down] = [up, down];
    const received = up.received - upBefore.received + down.received - downBefore.received;
    if (this.#received.overflows(received, LIMITS.receivedPerSecond.value * seconds)) return 'bytes';
    const strayUp = up.stray - upBefore.stray;
    const stray = strayUp + down.stray - downBefore.stray;
    if (this.#strays.overflows(stray, LIMITS.strayPerSecond.value * seconds)) return 'strays';
    const asked = (down.sent - downBefore.sent) * LIMITS.resentShare.value;
    if (this.#resent.overflows(down.resent - downBefore.resent, asked)) return 'retransmissions';
    if (await this.#hasManySources(strayUp)) return 'sources';
    const accepted = up.accepted - upBefore.accepted;
    // Only so many bytes could be that many packets.
    if (accepted < LIMITS.acceptedUncounted.value * seconds) return null;
    return (await this.#hasManyPackets()) ? 'packets' : null;
  }

  async #hasManySources(strayUp: number): Promise<boolean> {
    this.#strayUnlisted += strayUp;
    if (this.#strayUnlisted < LIMITS.strayUnlisted.value) return false;
    if (this.#strayUnlisted > STRAY_THAT_CAN_BE_LISTED) return true;
    this.#strayUnlisted = 0;
    const { rtpListener } = await this.#transports.send.dump();
    return rtpListener.ssrcTable.length > LIMITS.sources.value;
  }

  async #hasManyPackets(): Promise<boolean> {
    const count = await this.#packetCount();
    const seconds = (performance.now() - this.#countedAt) / 1_000;
    this.#countedAt += seconds * 1_000;
    // Those of a producer that has closed since are gone.
    const packets = Math.max(0, count - this.#packetsBefore);
    this.#packetsBefore = count;
    return this.#packets.overflows(packets, LIMITS.packetsPerSecond.value * seconds);
  }
}

/** Fills with what comes and empties with what may. */
class Bucket {
  readonly #size: number;
  #level = 0;

  constructor(size: number) {
    this.#size = size;
  }

  overflows(came: number, mayCome: number): boolean {
    this.#level = Math.max(0, this.#level + came - mayCome);
    return this.#level > this.#size;
  }
}

async function totalsOf(transport: types.WebRtcTransport): Promise<Totals> {
  const [stats] = await transport.getStats();
  if (stats === undefined) throw new Error('a transport without statistics');
  const accepted = stats.rtpBytesReceived + stats.rtxBytesReceived;
  return {
    received: stats.bytesReceived,
    stray: Math.max(0, stats.bytesReceived - accepted),
    accepted,
    sent: stats.rtpBytesSent,
    resent: stats.rtxBytesSent,
  };
}
