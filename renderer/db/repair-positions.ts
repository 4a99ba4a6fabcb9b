import { Dexie } from 'dexie';
import type { Table, Transaction } from 'dexie';
import type { MessageId, UserId } from '../../protocol/ids.ts';
import type { MessageRow, OutboxRow } from './profile-database.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Where messages of one's own wait for a position (renderer/crypto/queued-message.ts). */
const QUEUED_FROM = 8_000_000_000_000_000;

/** Milliseconds as microseconds, the unit of positions. */
export function microseconds(ms: number): number {
  return Math.floor(ms) * 1000;
}

/**
 * Earlier versions stored positions as the server gave them. One of 2^53 − 1 made the next start-up search for ever. Moves
 * such messages to the present, in the order they had; messages that wait to be sent keep their place behind all others.
 * @param now milliseconds since the Unix epoch
 */
export async function repairPositions(transaction: Transaction, now: number): Promise<void> {
  const messages: Table<MessageRow, MessageId> = transaction.table('messages');
  const outbox: Table<OutboxRow, number> = transaction.table('outbox');
  const waiting = new Set((await outbox.toArray()).map(({ messageId }) => messageId));
  const latest = microseconds(now + DAY_MS);
  for (const conversation of await conversationsIn(messages)) {
    const late = await messages
      .where('[conversation+order]')
      .between([conversation, latest], [conversation, Dexie.maxKey], false, true)
      .toArray();
    const repaired = late.flatMap((row, i) => {
      if (!waiting.has(row.messageId)) return [{ ...row, order: microseconds(now) + i }];
      return Number.isSafeInteger(row.order + late.length) ? [] : [{ ...row, order: QUEUED_FROM + i }];
    });
    await messages.bulkPut(repaired);
  }
}

async function conversationsIn(messages: Table<MessageRow, MessageId>): Promise<UserId[]> {
  const found: UserId[] = [];
  for (let last = '' as UserId; ;) {
    const next = await messages.where('[conversation+order]').above([last, Dexie.maxKey]).first();
    if (next === undefined) return found;
    last = next.conversation;
    found.push(last);
  }
}
