import type { MessageId } from '../../protocol/ids.ts';
import { LIMITS } from './limits.ts';

/**
 * Messages that no receipt changes any more: read by the other person, or theirs. Whoever sends receipts chooses what they
 * name, and each naming of another message costs opening its row.
 */
export class SettledMessages {
  readonly #ids = new Set<MessageId>();

  has(messageId: MessageId): boolean {
    return this.#ids.has(messageId);
  }

  add(messageId: MessageId): void {
    this.#ids.add(messageId);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= LIMITS.settledMessages.value) break;
      this.#ids.delete(oldest);
    }
  }
}
