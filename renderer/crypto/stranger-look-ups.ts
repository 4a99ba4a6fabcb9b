import type { UserId } from '../../protocol/ids.ts';
import { LIMITS } from './limits.ts';

const HOUR_MS = 60 * 60 * 1000;

/**
 * Whose device lists were asked for because something came of them and nothing was known. A server can invent senders,
 * with lists that verify, and each would be kept for ever: so many people an hour, the others wait on the server.
 */
export class StrangerLookUps {
  /** When each was asked for first, in milliseconds since the Unix epoch, and whether it was of the future. */
  readonly #asked = new Map<UserId, { readonly at: number; isEarly: boolean }>();

  /** Whether that person's list may be asked for now, which it is then taken to be. */
  take(userId: UserId, now: number): boolean {
    for (const [asked, { at }] of this.#asked) if (Math.abs(now - at) >= HOUR_MS) this.#asked.delete(asked);
    if (this.#asked.has(userId)) return true;
    if (this.#asked.size >= LIMITS.strangersInAnHour.value) return false;
    this.#asked.set(userId, { at: now, isEarly: false });
    return true;
  }

  /** That person's list says that it was signed in the future: one of the two clocks is wrong, and may be set right. */
  setEarly(userId: UserId, isEarly: boolean): void {
    const asked = this.#asked.get(userId);
    if (asked !== undefined) asked.isEarly = isEarly;
  }

  isEarly(userId: UserId): boolean {
    return this.#asked.get(userId)?.isEarly === true;
  }
}
