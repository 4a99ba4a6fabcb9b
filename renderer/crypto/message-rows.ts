import type { MessageId, UserId } from '../../protocol/ids.ts';
import type { MessageRow } from '../db/profile-database.ts';
import type { DeliveryState, Message, MessageBody } from '../modules/chat/model.ts';
import type { Profile } from './profile.ts';

/** The part of a message that is sealed. */
interface SealedPart {
  readonly sender: UserId;
  readonly body: MessageBody;
  readonly sentAt: number;
  readonly state: DeliveryState | null;
}

export async function sealMessageRow({ sealer }: Profile, message: Message): Promise<MessageRow> {
  const { messageId, conversation, order, sender, body, sentAt, state } = message;
  const part: SealedPart = { sender, body, sentAt, state };
  return { messageId, conversation, order, sealed: await sealer.seal('messages', messageId, part) };
}

export async function openMessageRow({ sealer, info }: Profile, row: MessageRow): Promise<Message> {
  const { messageId, conversation, order, sealed } = row;
  const part = await sealer.open<SealedPart>('messages', messageId, sealed);
  return { messageId, conversation, order, mine: part.sender === info.userId, ...part };
}

export async function findMessage(profile: Profile, messageId: MessageId): Promise<Message | undefined> {
  const row = await profile.db.messages.get(messageId);
  return row && openMessageRow(profile, row);
}

/** Newest last; at most `limit`, of those before `before`. */
export async function messageRowsBefore(
  { db }: Profile,
  conversation: UserId,
  before: number,
  limit: number,
): Promise<MessageRow[]> {
  const rows = await db.messages
    .where('[conversation+order]')
    .between([conversation, 0], [conversation, before], true, false)
    .reverse()
    .limit(limit)
    .toArray();
  return rows.reverse();
}
