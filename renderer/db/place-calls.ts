import type { Table, Transaction } from 'dexie';
import type { MessageId } from '../../protocol/ids.ts';
import type { CallRow, MessageRow } from './profile-database.ts';

/** Rows handled at once. */
const SOME = 500;

/**
 * Gives the rows of calls of earlier versions their age. Those versions also let a row name any message: rows whose message
 * is not there, or is in another conversation than the call was, go; no message does.
 * @param now milliseconds since the Unix epoch
 */
export async function placeCalls(transaction: Transaction, now: number): Promise<void> {
  const calls: Table<CallRow, string> = transaction.table('calls');
  const messages: Table<MessageRow, MessageId> = transaction.table('messages');
  const keys = await calls.toCollection().primaryKeys();
  for (let start = 0; start < keys.length; start += SOME) {
    const some = keys.slice(start, start + SOME);
    const rows = (await calls.bulkGet(some)).filter((row) => row !== undefined);
    const entries = await messages.bulkGet(rows.map(({ messageId }) => messageId));
    const placed = rows.flatMap((row, i) => {
      const entry = entries[i];
      if (entry === undefined || row.call !== `${entry.conversation}:${row.callId}`) return [];
      return [{ ...row, at: Math.min(Math.floor(entry.order / 1000), now) }];
    });
    const kept = new Set(placed.map(({ call }) => call));
    await calls.bulkPut(placed);
    await calls.bulkDelete(some.filter((call) => !kept.has(call)));
  }
}
