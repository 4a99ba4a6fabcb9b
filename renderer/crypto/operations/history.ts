import type { UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import { isEntryOf } from '../call-rows.ts';
import { LIMITS } from '../limits.ts';
import { AFTER_ALL, messageRowsBefore, openMessageRow } from '../message-rows.ts';
import type { MessageRow } from '../../db/profile-database.ts';
import type { Message } from '../../modules/chat/model.ts';
import type { Profile } from '../profile.ts';
import { withoutNobody } from '../strangers.ts';
import type { ConversationSummary, MessagePage } from '../vault.ts';

/** See `Vault.conversations`. */
export async function conversations(profile: Profile): Promise<readonly ConversationSummary[]> {
  const ids = await conversationIds(profile);
  const all = await Promise.all([...ids].map((userId) => profile.summaries.summarise(profile, userId)));
  return withoutNobody(profile, all);
}

/** Everybody with whom there is a message or a draft. */
export async function conversationIds(profile: Profile): Promise<ReadonlySet<UserId>> {
  const written = await writtenConversations(profile);
  const drafted = await profile.db.conversations.toCollection().primaryKeys();
  return new Set([...written, ...drafted]);
}

/** Hops from conversation to conversation in the index, without touching the messages between. */
async function writtenConversations({ db }: Profile): Promise<UserId[]> {
  const found: UserId[] = [];
  // The empty text sorts before every id.
  let last = '' as UserId;
  for (;;) {
    const next: MessageRow | undefined = await db.messages
      .where('[conversation+order]')
      .above([last, AFTER_ALL])
      .first();
    if (next === undefined) return found;
    last = next.conversation;
    found.push(last);
  }
}

/** See `Vault.messages`. */
export async function messages(
  profile: Profile,
  input: { readonly conversation: UserId; readonly before: number | null; readonly limit: number },
): Promise<MessagePage> {
  const before = input.before ?? AFTER_ALL;
  const rows = await messageRowsBefore(profile, input.conversation, before, input.limit + 1);
  const [next, ...rest] = rows;
  const more = rows.length > input.limit;
  const page = more ? rest : rows;
  const opened = (all: readonly MessageRow[]) => Promise.all(all.map((row) => openMessageRow(profile, row)));
  const first = page[0];
  if (!more || first === undefined || next?.order !== first.order) return { messages: await opened(page), more };
  // A hostile server gave several one position, and the next page begins before it: so all of them come with this one.
  const alike = await rowsAt(profile, input.conversation, first.order);
  const after = page.filter(({ order }) => order !== first.order);
  const older = await messageRowsBefore(profile, input.conversation, first.order, 1);
  return { messages: await opened([...alike, ...after]), more: older.length > 0 };
}

function rowsAt({ db }: Profile, conversation: UserId, order: number): Promise<MessageRow[]> {
  return db.messages
    .where('[conversation+order]')
    .equals([conversation, order])
    .limit(LIMITS.sameOrder.value)
    .toArray();
}

/** See `Vault.setDraft`. */
export async function setDraft(
  profile: Profile,
  { conversation, text }: { readonly conversation: UserId; readonly text: string },
): Promise<void> {
  const batch = new Batch(profile);
  batch.setDraft(conversation, text);
  await batch.commit();
}

/** See `Vault.recentCalls`. */
export async function recentCalls(profile: Profile, limit: number): Promise<readonly Message[]> {
  const rows = await profile.db.calls.orderBy('at').reverse().limit(limit).toArray();
  const stored = await profile.db.messages.bulkGet(rows.map(({ messageId }) => messageId));
  const entries = await Promise.all(stored.map((row) => row && openMessageRow(profile, row)));
  return rows
    .flatMap((row, i) => {
      const entry = entries[i];
      return isEntryOf(entry, row) ? [entry] : [];
    })
    .sort((a, b) => b.order - a.order);
}
