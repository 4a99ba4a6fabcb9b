import { randomUUID } from 'node:crypto';
import type { Role } from '../../protocol/accounts.ts';
import { resynchronise } from '../../protocol/hello.ts';
import type { DeviceId, SessionId, UserId } from '../../protocol/ids.ts';
import type { Connection } from './connection.ts';
import { isTooLong } from './frame-length.ts';
import { LIMITS } from './limits.ts';
import type { FrameHead } from './shared-bytes.ts';

const { streamEvents, streamBytes, streamAge } = LIMITS;

export interface StreamOwner {
  readonly userId: UserId;
  readonly deviceId: DeviceId | null;
  readonly sessionId: SessionId;
  readonly role: Role;
}

/** Told the name of an event that is too long for a frame, and its length. */
export type EventLoss = (event: string, characters: number) => void;

interface Entry {
  /** What many devices share, or nothing. */
  readonly head: FrameHead;
  readonly rest: string;
  readonly at: number;
}

/** The numbered events of one device (or of one session that has no device), and the last few of them. */
export class EventStream {
  readonly id = randomUUID();
  /** Null for a connection that is not signed in, to which no events go. */
  readonly owner: StreamOwner | null;
  connection: Connection | null = null;
  /** When its connection went away. */
  detachedAt: number | null = null;
  #seq = 0;
  /** Kept entries are those from `#first`; their numbers end at `#seq`. */
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  /** Whether stored events are left out, until the connection has read what waits for it. */
  #isBehind = false;

  readonly #onLoss: EventLoss;

  constructor(owner: StreamOwner | null, onLoss: EventLoss) {
    this.owner = owner;
    this.#onLoss = onLoss;
  }

  /** The number of the newest event. */
  get seq(): number {
    return this.#seq;
  }

  /** Numbers an event, keeps it, and sends it if somebody listens. `params` is JSON text. */
  push(event: string, params: string, now: number): void {
    const seq = ++this.#seq;
    let frame = `{"event":${JSON.stringify(event)},"params":${params},"seq":${seq}}`;
    if (isTooLong(frame)) {
      // The client would close the connection at it, and again at each resume.
      this.#onLoss(event, frame.length);
      frame = JSON.stringify({ event: resynchronise.name, params: {}, seq });
    }
    this.#keep({ head: '', rest: frame, at: now });
    this.connection?.send(frame);
  }

  /**
   * As `push`, for an event that lies in the store. While its connection has more to read than it should, such events are
   * left out, and when it has read it is told to ask for what it has missed. `head`: from the frame's start to where
   * `own`, the rest of the params, begins.
   */
  pushStored(event: string, head: FrameHead, own: string, now: number): void {
    if (this.#fallsBehind(now)) return;
    const seq = this.#seq + 1;
    const rest = `${own},"seq":${seq}}`;
    if (isTooLong(head, rest)) {
      this.#onLoss(event, head.length + rest.length);
      return this.push(resynchronise.name, '{}', now);
    }
    this.#seq = seq;
    this.#keep({ head, rest, at: now });
    if (typeof head === 'string') this.connection?.send(head + rest);
    else this.connection?.sendInHalves(head, rest);
  }

  /** A connection that does not resume asks for everything anyway. */
  catchUp(): void {
    this.#isBehind = false;
  }

  /** The events after `seq`, oldest first; null if some of them are gone or never were. */
  after(seq: number): string[] | null {
    const kept = this.#entries.length - this.#first;
    if (this.#isBehind || seq > this.#seq || seq < this.#seq - kept) return null;
    return this.#entries
      .slice(this.#entries.length - (this.#seq - seq))
      .map(({ head, rest }) => `${head.toString()}${rest}`);
  }

  /** Whether the connection has too much to read already. It is told when it has read it. */
  #fallsBehind(now: number): boolean {
    const { connection } = this;
    if (this.#isBehind || !connection?.isSlow) return this.#isBehind;
    this.#isBehind = true;
    connection.onceRead(() => {
      if (this.connection !== connection || !this.#isBehind) return;
      this.#isBehind = false;
      this.push(resynchronise.name, '{}', now);
    });
    return true;
  }

  #keep(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.head.length + entry.rest.length;
    this.#trim(entry.at);
  }

  #trim(now: number): void {
    for (let oldest = this.#entries[this.#first]; oldest; oldest = this.#entries[this.#first]) {
      const kept = this.#entries.length - this.#first;
      const fits = kept <= streamEvents.value && this.#bytes <= streamBytes.value && now - oldest.at <= streamAge.value;
      if (fits) break;
      this.#bytes -= oldest.head.length + oldest.rest.length;
      this.#first++;
    }
    // Dropped entries are let go of in bulk, so that dropping one costs nothing.
    if (this.#first > 256 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
