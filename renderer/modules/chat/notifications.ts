import type { UserId } from '../../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import type { Message } from './model.ts';

/** Tells of messages as they come; where one conversation brings many at once, of its first and then of its latest. */
export class Notifications {
  readonly #show: (message: Message) => void;
  /** Conversations told of a moment ago, with what has come since. */
  readonly #paused = new Map<UserId, { timer: ReturnType<typeof setTimeout>; latest: Message | null }>();

  constructor(show: (message: Message) => void) {
    this.#show = show;
  }

  tell(message: Message): void {
    const paused = this.#paused.get(message.conversation);
    if (paused === undefined) this.#tellNow(message);
    else paused.latest = message;
  }

  clear(): void {
    for (const { timer } of this.#paused.values()) clearTimeout(timer);
    this.#paused.clear();
  }

  #tellNow(message: Message): void {
    const { conversation } = message;
    const timer = setTimeout(() => {
      const latest = this.#paused.get(conversation)?.latest ?? null;
      this.#paused.delete(conversation);
      if (latest !== null) this.#tellNow(latest);
    }, LIMITS.notificationsMs.value);
    this.#paused.set(conversation, { timer, latest: null });
    this.#show(message);
  }
}
