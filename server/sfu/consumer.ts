import type { types } from 'mediasoup';
import { RtpParameters } from '../../protocol/media.ts';
import type { Producer } from './producer.ts';
import { refusing } from './rejection.ts';

/** Simulcast and temporal layer, 0 the smallest. */
export interface Layers {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
}

/** What the owner of consumers is told about what the sending side did. */
export interface ConsumerListener {
  consumerRemoved(consumerId: string): void;
  consumerPaused(consumerId: string, paused: boolean): void;
}

/** Another participant's producer as this participant receives it. Begins paused. */
export class Consumer {
  readonly id: string;
  readonly producer: Producer;
  readonly #inner: types.Consumer;
  readonly #listener: ConsumerListener;
  readonly #removed: (consumer: Consumer) => void;
  /** What the receiver asked for last. */
  #wanted = false;
  #held = false;
  #settled: Promise<void> = Promise.resolve();

  constructor(
    inner: types.Consumer,
    producer: Producer,
    listener: ConsumerListener,
    removed: (consumer: Consumer) => void,
  ) {
    this.#inner = inner;
    this.id = inner.id;
    this.producer = producer;
    this.#listener = listener;
    this.#removed = removed;
    producer.attach(this);
  }

  /** Made anew from parsed values, without what the receiver has no use for. */
  get rtpParameters(): RtpParameters {
    return RtpParameters.parse(this.#inner.rtpParameters);
  }

  /** Nothing comes, whatever the receiver asks for: the sender pauses it, or the server holds it back. */
  get withheld(): boolean {
    return this.producer.paused || this.#held;
  }

  /** Stops or starts what this participant receives; mediasoup asks the sender for a key frame on starting. */
  setPaused(paused: boolean): Promise<void> {
    this.#wanted = !paused;
    return this.#settle();
  }

  /** Holds it back, or lets it go on as the receiver wants it. The receiver is told as if the sender had done it. */
  async setHeld(held: boolean): Promise<void> {
    if (held === this.#held) return;
    this.#held = held;
    if (!this.producer.paused) this.#listener.consumerPaused(this.id, held);
    await this.#settle();
  }

  /** Caps the layers received. Without effect on a producer that has one layer only. */
  async setPreferredLayers(layers: Layers): Promise<void> {
    if (this.#inner.closed || this.#inner.type === 'simple') return;
    await refusing('the layers', () => this.#inner.setPreferredLayers({ ...layers }));
  }

  producerPausedChanged(paused: boolean): void {
    if (!this.#held) this.#listener.consumerPaused(this.id, paused);
  }

  producerClosed(): void {
    if (!this.#inner.closed) this.#inner.close();
    this.#removed(this);
    this.#listener.consumerRemoved(this.id);
  }

  /** Ends it from the receiving side, which knows, so nobody is told. */
  close(): void {
    if (!this.#inner.closed) this.#inner.close();
    this.producer.detach(this);
    this.#removed(this);
  }

  /** One after the other, since mediasoup only knows of a pause when it is done: two at once would undo each other. */
  #settle(): Promise<void> {
    const settled = this.#settled.then(async () => {
      const paused = this.#held || !this.#wanted;
      if (this.#inner.closed || this.#inner.paused === paused) return;
      await refusing('the consumer', () => (paused ? this.#inner.pause() : this.#inner.resume()));
    });
    this.#settled = settled.catch(() => {});
    return settled;
  }
}
