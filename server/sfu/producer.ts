import type { types } from 'mediasoup';
import type { Source } from '../../protocol/calls.ts';
import { refusing } from './rejection.ts';
import type { Consumer } from './consumer.ts';

/** What a producer made the media worker do since it began. */
export interface Taken {
  /** Packets, whatever became of them, as far as they are counted. */
  readonly packets: number;
  /** Of `packets`, those that were sent again. */
  readonly resent: number;
}

export const NOTHING_TAKEN: Taken = { packets: 0, resent: 0 };

/** Something a participant sends. It knows its consumers, so that pausing and closing reach them in one known order. */
export class Producer {
  readonly id: string;
  readonly kind: 'audio' | 'video';
  readonly source: Source;
  readonly peerId: string;
  readonly #inner: types.Producer;
  readonly #consumers = new Set<Consumer>();
  #changed: (producer: Producer) => void = () => {};
  #takenAtClose: Promise<Taken> | null = null;

  constructor(inner: types.Producer, source: Source, peerId: string) {
    this.#inner = inner;
    this.id = inner.id;
    this.kind = inner.kind;
    this.source = source;
    this.peerId = peerId;
  }

  get paused(): boolean {
    return this.#inner.paused;
  }

  get closed(): boolean {
    return this.#inner.closed;
  }

  /** Called when this was paused, resumed or closed. */
  onChanged(listener: (producer: Producer) => void): void {
    this.#changed = listener;
  }

  /** What was taken so far, or until it closed. */
  taken(): Promise<Taken> {
    return this.#takenAtClose ?? this.#count();
  }

  attach(consumer: Consumer): void {
    this.#consumers.add(consumer);
  }

  detach(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /** Stops or restarts the forwarding. @throws ProtocolError `media_rejected`, `unavailable` */
  async setPaused(paused: boolean): Promise<void> {
    if (this.closed || this.paused === paused) return;
    await refusing('the producer', () => (paused ? this.#inner.pause() : this.#inner.resume()));
    for (const consumer of this.#consumers) consumer.producerPausedChanged(paused);
    this.#changed(this);
  }

  /** Ends it, and with it every consumer of it. */
  close(): void {
    if (this.#inner.closed) this.#takenAtClose = Promise.resolve(NOTHING_TAKEN);
    else {
      // The media worker answers this before it closes it; what ends with the worker costs nothing more.
      this.#takenAtClose = this.#count().catch(() => NOTHING_TAKEN);
      this.#inner.close();
    }
    for (const consumer of this.#consumers) consumer.producerClosed();
    this.#consumers.clear();
    this.#changed(this);
    this.#changed = () => {};
  }

  async #count(): Promise<Taken> {
    const streams = await this.#inner.getStats();
    return streams.map(takenOf).reduce(bothTaken, NOTHING_TAKEN);
  }
}

export function bothTaken(one: Taken, other: Taken): Taken {
  return { packets: one.packets + other.packets, resent: one.resent + other.resent };
}

function takenOf(stream: types.ProducerStat): Taken {
  const { packetCount, packetsDiscarded, packetsRetransmitted: resent, rtxPacketsDiscarded = 0 } = stream;
  return { packets: packetCount + packetsDiscarded + resent + rtxPacketsDiscarded, resent };
}
