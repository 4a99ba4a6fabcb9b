import * as wire from '../../../protocol/calls.ts';
import { RING_MS, type Call } from '../../../protocol/calls.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { Tones } from '../../media/tones.ts';
import type { Connection } from '../../net/connection.ts';
import type { CallOutcome } from '../chat/model.ts';
import { participantOf, type CallBook } from './call-book.ts';
import { endOfRing } from './outcome.ts';
import { remembering } from './remembered.ts';

/** The server ends a ring after RING_MS; this side does so by itself if it never hears of that. */
const GRACE_MS = 5_000;

export interface Ring {
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly from: UserId;
}

export interface RingingOptions {
  readonly connection: Connection;
  readonly tones: Tones;
  /** A ring is over that this device neither answered nor refused. */
  readonly onOver: (ring: Ring, outcome: CallOutcome) => void;
}

/** The call that rings now, at most one: whoever calls meanwhile hears that this person is busy. Reactive. */
export class Ringing {
  readonly #options: RingingOptions;
  #ring = $state.raw<Ring | null>(null);
  #stopTone: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Rings answered here whose state the server has not changed yet. */
  #answered: ReadonlySet<CallId> = new Set<CallId>();

  constructor(options: RingingOptions) {
    this.#options = options;
  }

  get ring(): Ring | null {
    return this.#ring;
  }

  /** Whether this call already rings, or was answered here a moment ago. */
  knows(callId: CallId): boolean {
    return this.#ring?.callId === callId || this.#answered.has(callId);
  }

  start(ring: Ring): void {
    this.#ring = ring;
    this.#stopTone = this.#options.tones.ring();
    this.#timer = setTimeout(() => {
      if (this.#ring !== ring) return;
      this.answer();
      this.#options.onOver(ring, 'missed');
    }, RING_MS + GRACE_MS);
  }

  /** Stops the ringing, since somebody decided here. Returns what rang. */
  answer(): Ring | null {
    const ring = this.#ring;
    if (ring !== null) this.#answered = remembering(this.#answered, ring.callId);
    this.#silence();
    return ring;
  }

  /** Tells the caller; what is entered of it is up to whoever refuses. */
  async refuse(ring: Ring, reason: 'declined' | 'busy'): Promise<void> {
    this.#answered = remembering(this.#answered, ring.callId);
    await this.#options.connection.request(wire.decline, { callId: ring.callId, reason }).catch(() => {});
  }

  /** The book changed: what rings may have been answered elsewhere, withdrawn or run out. */
  observe(book: CallBook, changed: readonly Call[], self: UserId): void {
    const settled = new Set(
      changed.filter((call) => participantOf(call, self)?.state !== 'ringing').map(({ callId }) => callId),
    );
    if (settled.size > 0) this.#answered = new Set([...this.#answered].filter((callId) => !settled.has(callId)));
    const ring = this.#ring;
    if (ring === null) return;
    const call = book.calls.get(ring.callId);
    const own = call && participantOf(call, self)?.state;
    if (own === 'ringing') return;
    this.#silence();
    this.#options.onOver(ring, endOfRing(own));
  }

  #silence(): void {
    this.#stopTone();
    this.#stopTone = () => {};
    clearTimeout(this.#timer);
    this.#ring = null;
  }
}
