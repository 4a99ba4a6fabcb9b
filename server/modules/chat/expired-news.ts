import { expiredChanged } from '../../../protocol/chat.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { EventSink } from '../../ws/event-sink.ts';

/** Whoever is told asks for the numbers, and a colleague can have messages skipped at will. Milliseconds. */
const GAP_MS = 10_000;

/** Tells accounts that messages were not kept for them: the first at once, those of the next seconds together. */
export class ExpiredNews {
  readonly #events: EventSink;
  readonly #due = new Set<UserId>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: EventSink) {
    this.#events = events;
  }

  tell(users: Iterable<UserId>): void {
    for (const userId of users) this.#due.add(userId);
    if (this.#timer === undefined) this.#flush();
  }

  /** Tells nobody any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#due.size === 0) return;
    for (const userId of this.#due) this.#events.toUser(userId, expiredChanged, {});
    this.#due.clear();
    this.#timer = setTimeout(() => this.#flush(), GAP_MS).unref();
  }
}
