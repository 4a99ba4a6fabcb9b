import { MessageId } from '../../protocol/ids.ts';
import { uuidV7 } from '../../protocol/uuid.ts';

/** Queued messages sort after everything that has a position: microseconds reach this in the year 2223, and no stored position is later than the clock allows. */
export const QUEUED_ORDER = 8_000_000_000_000_000;

/** The order of a message of one's own until it has a position. `newest`: of its conversation. */
export function queuedOrder(newest: { readonly order: number } | null): number {
  return Math.max(QUEUED_ORDER, (newest?.order ?? 0) + 1);
}

/** `now`: milliseconds since the Unix epoch. */
export function newMessageId(now: number): MessageId {
  return MessageId.parse(uuidV7(now, crypto.getRandomValues(new Uint8Array(10))));
}
