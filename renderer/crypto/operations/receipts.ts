import type { MessageContent } from '../../../protocol/chat.ts';
import type { MessageId, UserId } from '../../../protocol/ids.ts';
import type { ReceiptRow, UnreadRow } from '../../db/profile-database.ts';
import { Batch } from '../batch.ts';
import { LIMITS } from '../limits.ts';
import { findMessage } from '../message-rows.ts';
import type { Profile } from '../profile.ts';
import { newMessageId } from '../queued-message.ts';
import type { ReadTurn } from '../vault.ts';
import { enqueueContent } from './enqueue.ts';

/** Most message ids in one receipt (protocol/chat.ts). */
const RECEIPT_LIMIT = 200;

/** See `Vault.markRead`. What could not be read is not confirmed as read. */
export async function markRead(
  profile: Profile,
  conversation: UserId,
  through: MessageId | null = null,
): Promise<ReadTurn> {
  const batch = new Batch(profile);
  const unread = await profile.summaries.unread(profile, conversation);
  const last = through ?? [...unread].at(-1);
  // Where the last one was read elsewhere meanwhile, what is left may have come later.
  const seen = last !== undefined && unread.has(last) ? upTo(unread, last, LIMITS.readInATurn.value) : [];
  const rows = await profile.db.unread.bulkGet([...seen]);
  const confirmed = await Promise.all(rows.map((row) => row !== undefined && isToConfirm(profile, row)));
  const due = seen
    .filter((_, i) => confirmed[i])
    .map((messageId): ReceiptRow => ({ messageId, conversation, state: 'read' }));
  batch.write((db) => db.receipts.bulkPut(due));
  batch.markRead(conversation, seen);
  const isOver = last === undefined || seen.length === 0 || seen.at(-1) === last;
  return { ...(await batch.commit()), through: isOver ? null : last };
}

function upTo(ids: Iterable<MessageId>, last: MessageId, limit: number): MessageId[] {
  const some: MessageId[] = [];
  for (const id of ids) {
    if (some.length === limit) break;
    some.push(id);
    if (id === last) break;
  }
  return some;
}

/** Rows of earlier versions do not say it: there the message itself is looked at. */
async function isToConfirm(profile: Profile, { messageId, confirm }: UnreadRow): Promise<boolean> {
  if (confirm !== undefined) return confirm;
  const message = await findMessage(profile, messageId);
  return message !== undefined && message.body.kind !== 'unreadable';
}

/** See `Vault.collectReceipts`. Those of one conversation and state go together. */
export async function collectReceipts(profile: Profile): Promise<boolean> {
  const limit = LIMITS.receiptsInATurn.value;
  const { db, receiptsRest } = profile;
  const all = db.receipts.toCollection();
  const awake = receiptsRest.size === 0 ? all : all.filter(({ conversation }) => !receiptsRest.has(conversation));
  const due = await awake.limit(limit).toArray();
  if (due.length === 0) return false;
  const batch = new Batch(profile);
  for (const rows of Map.groupBy(due, ({ conversation, state }) => `${conversation} ${state}`).values()) {
    for (let start = 0; start < rows.length; start += RECEIPT_LIMIT) {
      await enqueueReceipt(profile, batch, rows.slice(start, start + RECEIPT_LIMIT));
    }
  }
  batch.write((db) => db.receipts.bulkDelete(due.map(({ messageId }) => messageId)));
  await batch.commit();
  return due.length === limit;
}

/**
 * Notes the receipts of a message that the server did not take as due again. What was noted since stays: it may say more.
 * They rest until that person can be reached, so that they are not refused over and over.
 */
export function keepDue(profile: Profile, batch: Batch, { content, conversation }: MessageContent): void {
  if (content.kind !== 'receipt') return;
  const { state, messageIds } = content;
  batch.write(async (db) => {
    const noted = await db.receipts.bulkGet([...messageIds]);
    const rows = messageIds.map((messageId): ReceiptRow => ({ messageId, conversation, state }));
    await db.receipts.bulkPut(rows.filter((_, i) => noted[i] === undefined || state === 'read'));
  });
  batch.afterCommit(() => profile.receiptsRest.add(conversation));
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
