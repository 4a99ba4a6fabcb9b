import type { types } from 'mediasoup';
import type { Source } from '../../protocol/calls.ts';
import { refusing } from './rejection.ts';
import type { Consumer } from './consumer.ts';

/** Something a participant sends. It knows its consumers, so that pausing and closing reach them in one known order. */
export class Producer {
  readonly id: string;
  readonly kind: 'audio' | 'video';
  readonly source: Source;
  readonly peerId: string;
  readonly #inner: types.Producer;
  readonly #consumers = new Set<Consumer>();
  #changed: (producer: Producer) => void = () => {};

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

  /** Packets taken so far. Rejects if it is closed. */
  async packetCount(): Promise<number> {
    const streams = await this.#inner.getStats();
    return streams.reduce((sum, stream) => sum + stream.packetCount, 0);
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
    if (!this.#inner.closed) this.#inner.close();
    for (const consumer of this.#consumers) consumer.producerClosed();
    this.#consumers.clear();
    this.#changed(this);
    this.#changed = () => {};
  }
}
