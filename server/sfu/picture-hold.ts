import type { Consumer } from './consumer.ts';
import { LIMITS } from './limits.ts';

/**
 * Holds back the pictures that go to one participant, while sound goes on: for whoever asks for more to be sent again
 * than a line can need. That may be an attack or a line that is far too slow; without pictures both cost nothing, since
 * sound is never sent again. Each time that it helped for a moment only, it lasts longer.
 */
export class PictureHold {
  readonly #consumers: () => Iterable<Consumer>;
  #timer: NodeJS.Timeout | null = null;
  #lastsMs = 0;
  #endedAt = -Infinity;

  constructor(consumers: () => Iterable<Consumer>) {
    this.#consumers = consumers;
  }

  get active(): boolean {
    return this.#timer !== null;
  }

  begin(): void {
    if (this.active) return;
    const { pictureHoldFirst, pictureHoldLast } = LIMITS;
    const again = performance.now() - this.#endedAt < this.#lastsMs;
    this.#lastsMs = again ? Math.min(2 * this.#lastsMs, pictureHoldLast.value) : pictureHoldFirst.value;
    this.#timer = setTimeout(() => this.#end(), this.#lastsMs);
    this.#timer.unref();
    this.#apply();
  }

  /** Holds a consumer back that has just been made. */
  include(consumer: Consumer): void {
    if (this.active && consumer.producer.kind === 'video') set(consumer, true);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #end(): void {
    this.#timer = null;
    this.#endedAt = performance.now();
    this.#apply();
  }

  #apply(): void {
    for (const consumer of this.#consumers()) if (consumer.producer.kind === 'video') set(consumer, this.active);
  }
}

/** A consumer whose worker is gone sends nothing. */
function set(consumer: Consumer, held: boolean): void {
  consumer.setHeld(held).catch(() => {});
}
