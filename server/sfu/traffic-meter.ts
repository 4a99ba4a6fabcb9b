import type { types } from 'mediasoup';
import { LIMITS } from './limits.ts';
import { NOTHING_TAKEN, type Taken } from './producer.ts';

/** Bytes since the transport began. */
interface Totals {
  readonly received: number;
  /** Of `received`, what no producer took: feedback, ICE, and what belongs to nothing. */
  readonly stray: number;
  /** What a producer took, of which `again` came on the line for what is sent again. */
  readonly accepted: number;
  readonly again: number;
  readonly sent: number;
  /** Retransmissions, which the receiver asks for. */
  readonly resent: number;
}

const NOTHING: Totals = { received: 0, stray: 0, accepted: 0, again: 0, sent: 0, resent: 0 };
/**
 * mediasoup loses its line to a worker over an answer of 8 MiB; one names some 64 bytes for each source, and a packet of
 * a new source has 30 or more.
 */
const STRAY_THAT_CAN_BE_LISTED = 2_500_000;
/** No packet on the way is longer than Ethernet's frame. */
const LONGEST_PACKET = 1_500;

export interface MeteredTransports {
  readonly send: types.WebRtcTransport;
  readonly receive: types.WebRtcTransport;
}

/** What a participant does to the media worker beyond anything a call needs. */
export type Flood = 'bytes' | 'packets' | 'strays' | 'sources';

/**
 * Measures one participant. mediasoup's `maxIncomingBitrate` is only told to the sender, who may ignore it, and it
 * remembers every SSRC that names a known `mid` for as long as the producer lives.
 */
export class TrafficMeter {
  readonly #transports: MeteredTransports;
  readonly #taken: () => Promise<Taken>;
  readonly #received = new Bucket(LIMITS.receivedBurst.value);
  readonly #answers = new Bucket(LIMITS.receivedBurst.value);
  readonly #strays = new Bucket(LIMITS.strayBurst.value);
  readonly #packets = new Bucket(LIMITS.packetsBurst.value);
  readonly #resent = new Bucket(LIMITS.resentBurst.value);
  #at = performance.now();
  #up = NOTHING;
  #down = NOTHING;
  #takenBefore = NOTHING_TAKEN;
  #againUncounted = 0;
  #countedAt = this.#at;
  #strayUnlisted = 0;
  #listable = true;

  /** @param taken what all producers there are and were took */
  constructor(transports: MeteredTransports, taken: () => Promise<Taken>) {
    this.#transports = transports;
    this.#taken = taken;
  }

  /**
   * Looks at what came and went since the last time. Of retransmissions each time that there were too many is told anew.
   * Rejects if the worker or a transport is gone.
   */
  async check(): Promise<Flood | 'retransmissions' | null> {
    const { send, receive } = this.#transports;
    const [up, down] = await Promise.all([totalsOf(send), totalsOf(receive)]);
    const seconds = (performance.now() - this.#at) / 1_000;
    this.#at += seconds * 1_000;
    const [upBefore, downBefore] = [this.#up, this.#down];
    [this.#up, this.#down] = [up, down];
    if (this.#received.overflows(up.received - upBefore.received, LIMITS.receivedPerSecond.value * seconds)) {
      return 'bytes';
    }
    // What others send decides what a browser answers them, so one of them must not put it out by that.
    const sent = down.sent - downBefore.sent;
    const mayAnswer = LIMITS.receivedPerSecond.value * seconds + LIMITS.answerShare.value * sent;
    if (this.#answers.overflows(down.received - downBefore.received, mayAnswer)) return 'bytes';
    const stray = up.stray - upBefore.stray;
    if (this.#strays.overflows(stray, LIMITS.strayPerSecond.value * seconds)) return 'strays';
    const asked = sent * LIMITS.resentShare.value;
    const resentTooMuch = this.#resent.overflows(down.resent - downBefore.resent, asked);
    if (resentTooMuch) this.#resent.empty();
    if (await this.#hasManySources(stray, seconds)) return 'sources';
    const accepted = up.accepted - upBefore.accepted;
    // Only so many bytes could be that many packets.
    this.#againUncounted += up.again - upBefore.again;
    const worthCounting = accepted >= LIMITS.acceptedUncounted.value * seconds;
    const excess = worthCounting ? await this.#excessOfPackets() : null;
    if (excess !== null) return excess;
    return resentTooMuch ? 'retransmissions' : null;
  }

  async #hasManySources(stray: number, seconds: number): Promise<boolean> {
    this.#strayUnlisted += stray;
    const unlisted = this.#strayUnlisted;
    if (unlisted < LIMITS.strayUnlisted.value) return false;
    this.#strayUnlisted = 0;
    // More than a sender may send in that time.
    if (unlisted > STRAY_THAT_CAN_BE_LISTED * Math.max(1, seconds)) return true;
    // So much comes between two looks only if this server stood still meanwhile, for which nobody is to be blamed.
    this.#listable &&= unlisted <= STRAY_THAT_CAN_BE_LISTED;
    if (!this.#listable) return false;
    const { rtpListener } = await this.#transports.send.dump();
    return rtpListener.ssrcTable.length > LIMITS.sources.value;
  }

  async #excessOfPackets(): Promise<'packets' | 'strays' | null> {
    const { packets, resent } = await this.#taken();
    const seconds = (performance.now() - this.#countedAt) / 1_000;
    this.#countedAt += seconds * 1_000;
    const before = this.#takenBefore;
    // Those of a producer that is just closing may come with the next count.
    this.#takenBefore = { packets: Math.max(before.packets, packets), resent: Math.max(before.resent, resent) };
    const mayCome = LIMITS.packetsPerSecond.value * seconds;
    if (this.#packets.overflows(this.#takenBefore.packets - before.packets, mayCome)) return 'packets';
    // Sent again, but not even a packet: mediasoup drops it without a count.
    const stray = this.#againUncounted - (this.#takenBefore.resent - before.resent) * LONGEST_PACKET;
    this.#againUncounted = 0;
    return this.#strays.overflows(Math.max(0, stray), 0) ? 'strays' : null;
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

  empty(): void {
    this.#level = 0;
  }
}

async function totalsOf(transport: types.WebRtcTransport): Promise<Totals> {
  const [stats] = await transport.getStats();
  if (stats === undefined) throw new Error('a transport without statistics');
  const again = stats.rtxBytesReceived;
  const accepted = stats.rtpBytesReceived + again;
  return {
    received: stats.bytesReceived,
    stray: Math.max(0, stats.bytesReceived - accepted),
    accepted,
    again,
    sent: stats.rtpBytesSent,
    resent: stats.rtxBytesSent,
  };
}
