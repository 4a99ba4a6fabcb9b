import type { UserId } from '../../../protocol/ids.ts';
import type { ReceiptRow } from '../../db/profile-database.ts';
import { Batch } from '../batch.ts';
import { findMessage } from '../message-rows.ts';
import type { Profile } from '../profile.ts';
import { newMessageId } from '../queued-message.ts';
import type { ChatChanges } from '../vault.ts';
import { enqueueContent } from './enqueue.ts';

/** Most message ids in one receipt (protocol/chat.ts). */
const RECEIPT_LIMIT = 200;

/** See `Vault.markRead`. What could not be read is not confirmed as read. */
export async function markRead(profile: Profile, conversation: UserId): Promise<ChatChanges> {
  const batch = new Batch(profile);
  const rows = await profile.db.unread.where('conversation').equals(conversation).toArray();
  const messages = await Promise.all(rows.map(({ messageId }) => findMessage(profile, messageId)));
  const read = messages.filter((message) => message !== undefined && message.body.kind !== 'unreadable');
  const due: ReceiptRow[] = read.flatMap((message) =>
    message === undefined ? [] : [{ messageId: message.messageId, conversation, state: 'read' }],
  );
  batch.write((db) => db.receipts.bulkPut(due));
  batch.markRead(
    conversation,
    rows.map(({ messageId }) => messageId),
  );
  return batch.commit();
}

/** See `Vault.collectReceipts`. Those of one conversation and state go together. */
export async function collectReceipts(profile: Profile): Promise<void> {
  const due = await profile.db.receipts.toArray();
  if (due.length === 0) return;
  const batch = new Batch(profile);
  for (const rows of Map.groupBy(due, ({ conversation, state }) => `${conversation} ${state}`).values()) {
    for (let start = 0; start < rows.length; start += RECEIPT_LIMIT) {
      await enqueueReceipt(profile, batch, rows.slice(start, start + RECEIPT_LIMIT));
    }
  }
  batch.write((db) => db.receipts.bulkDelete(due.map(({ messageId }) => messageId)));
  await batch.commit();
}

async function enqueueReceipt(profile: Profile, batch: Batch, rows: readonly ReceiptRow[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const { conversation, state } = first;
  const messageIds = rows.map(({ messageId }) => messageId);
  const content = { kind: 'receipt', state, messageIds } as const;
  const sentAt = profile.now();
  await enqueueContent(profile, batch, newMessageId(sentAt), { version: 1, conversation, sentAt, content });
}
