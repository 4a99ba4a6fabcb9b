import type { MessageId, UserId } from '../../../protocol/ids.ts';
import type { OutboxRow } from '../../db/profile-database.ts';
import { Batch } from '../batch.ts';
import type { Profile } from '../profile.ts';
import type { SealedItem, Vault, Waiting } from '../vault.ts';
import { openOutboxItem, sealOutboxItem } from './outbox-items.ts';
import { sealContent } from './seal-content.ts';

/** See `Vault.sealWaiting`. The ratchets' new states, and the bytes that they made, are durable before anything is sent. */
export async function sealWaiting(
  profile: Profile,
  { conversation, again, underWay, limit }: Parameters<Vault['sealWaiting']>[0],
): Promise<Waiting> {
  const rows = await waitingRows(profile, conversation, new Set(underWay), limit);
  const waiting = await sealRows(profile, rows, (messageId) => again.includes(messageId));
  return { ...waiting, more: rows.length === limit };
}

/** The oldest that wait, without those that are under way. */
async function waitingRows(
  { db, outboxEmpty }: Profile,
  conversation: UserId,
  underWay: ReadonlySet<MessageId>,
  limit: number,
): Promise<OutboxRow[]> {
  const rows = await db.outbox
    .where('[waiting+conversation]')
    .equals([1, conversation])
    .limit(underWay.size + limit)
    .toArray();
  if (rows.length === 0) outboxEmpty.add(conversation);
  return rows.filter(({ messageId }) => !underWay.has(messageId)).slice(0, limit);
}

/** Seals what is not sealed yet, in one transaction, up to the first that lacks something: then `next` says what. */
async function sealRows(
  profile: Profile,
  rows: readonly OutboxRow[],
  again: (messageId: MessageId) => boolean,
): Promise<Pick<Waiting, 'sealed' | 'next'>> {
  const batch = new Batch(profile);
  const sealed: SealedItem[] = [];
  let next: Waiting['next'] = null;
  let changed = false;
  for (const row of rows) {
    const { messageId } = row;
    const item = await openOutboxItem(profile, row);
    if (item === null) {
      // What it was is not known any more: it fails alone, and the next ones go on.
      next = { kind: 'refused', messageId, problem: null };
      break;
    }
    if (item.params !== null && !again(messageId)) {
      sealed.push({ messageId, params: item.params });
      continue;
    }
    const outcome = await sealContent(profile, batch, messageId, item.content);
    if (outcome.kind !== 'sealed') {
      next = { ...outcome, messageId };
      break;
    }
    const writing = sealOutboxItem(profile, messageId, { ...item, params: outcome.params });
    batch.write(writing.then((bytes) => (db) => db.outbox.put({ ...row, sealed: bytes })));
    sealed.push({ messageId, params: outcome.params });
    changed = true;
  }
  if (changed) await batch.commit();
  return { sealed, next };
}
