import type { ErrorCode } from '../../protocol/errors.ts';
import type { MessageId, UserId } from '../../protocol/ids.ts';
import type { MessageRow } from '../db/profile-database.ts';
import type { DeliveryState, Message, MessageBody } from '../modules/chat/model.ts';
import { storedPart } from './plausible.ts';
import type { Profile } from './profile.ts';

/** After everything in an index of numbers. IndexedDB has it as a key (Indexed Database API 3.0, section 2.4). */
export const AFTER_ALL = Number.POSITIVE_INFINITY;

/** The part of a message that is sealed. */
export interface SealedPart {
  readonly sender: UserId;
  readonly body: MessageBody;
  readonly sentAt: number;
  readonly state: DeliveryState | null;
  /** Only where `state` is `failed`. */
  readonly failure?: ErrorCode | undefined;
}

export async function sealMessageRow({ sealer }: Profile, message: Message): Promise<MessageRow> {
  const { messageId, conversation, order, sender, body, sentAt, state, failure } = message;
  const part: SealedPart = { sender, body, sentAt, state, failure };
  return { messageId, conversation, order, sealed: await sealer.seal('messages', messageId, part) };
}

/**
 * Never rejects for what is in the row: numbers that an earlier version took unchecked are brought within bounds, and a
 * row that is damaged is shown as unreadable, so that one row cannot take the rest of a page with it.
 */
export async function openMessageRow({ sealer, info }: Profile, row: MessageRow): Promise<Message> {
  const { messageId, conversation, order, sealed } = row;
  const part = storedPart(await sealer.openIntact<Partial<SealedPart>>('messages', messageId, sealed), row);
  const mine = part.sender === info.userId;
  // A message of somebody else is never on its way from here, whatever was written over it.
  return { messageId, conversation, order, mine, ...part, state: mine ? part.state : null };
}

export async function findMessage(profile: Profile, messageId: MessageId): Promise<Message | undefined> {
  const row = await profile.db.messages.get(messageId);
  return row && openMessageRow(profile, row);
}

/** Newest last; at most `limit`, of those before `before` (an order, or `AFTER_ALL`). */
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
