import type { types } from 'mediasoup';
import type { Producer } from './producer.ts';
import { refusing } from './rejection.ts';

/** How often speech is compared. Milliseconds. */
const INTERVAL_MS = 300;

/**
 * Who speaks: the participant whose speech prevails, until another's does. mediasoup's observer does the listening, but
 * does not mind whether the one it named has muted since; this does.
 */
export class SpeakerWatch {
  readonly #observer: types.ActiveSpeakerObserver;
  readonly #producers = new Map<string, Producer>();
  #dominant: Producer | null = null;
  #current: string | null = null;
  #changed: (peerId: string | null) => void = () => {};

  static async create(router: types.Router): Promise<SpeakerWatch> {
    return new SpeakerWatch(await router.createActiveSpeakerObserver({ interval: INTERVAL_MS }));
  }

  private constructor(observer: types.ActiveSpeakerObserver) {
    this.#observer = observer;
    observer.on('dominantspeaker', ({ producer }) => {
      this.#dominant = this.#producers.get(producer.id) ?? null;
      this.#update();
    });
  }

  /** The peer who speaks now; null if that one has muted or stopped. */
  get current(): string | null {
    return this.#current;
  }

  onChanged(listener: (peerId: string | null) => void): void {
    this.#changed = listener;
  }

  async add(producer: Producer): Promise<void> {
    this.#producers.set(producer.id, producer);
    await refusing('the producer', () => this.#observer.addProducer({ producerId: producer.id }));
  }

  /** The producer was muted, unmuted or closed. */
  producerChanged(producer: Producer): void {
    // mediasoup drops a closed producer from its observers by itself.
    if (producer.closed) this.#producers.delete(producer.id);
    if (producer === this.#dominant) this.#update();
  }

  #update(): void {
    if (this.#dominant?.closed === true) this.#dominant = null;
    const speaker = this.#dominant === null || this.#dominant.paused ? null : this.#dominant.peerId;
    if (speaker === this.#current) return;
    this.#current = speaker;
    this.#changed(speaker);
  }
}
