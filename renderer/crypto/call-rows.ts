import type { CallId, UserId } from '../../protocol/ids.ts';
import type { CallRow } from '../db/profile-database.ts';
import type { Message, MessageBody } from '../modules/chat/model.ts';
import type { Batch } from './batch.ts';

export type CallBody = Extract<MessageBody, { kind: 'call' }>;
export type CallEntry = Message & { readonly body: CallBody };

/** The key of a call's row: what one person calls by an id is not what another does. */
export function callKey(conversation: UserId, callId: CallId): string {
  return `${conversation}:${callId}`;
}

/**
 * Whether this message is the entry of that row's call. Earlier versions let a row name any message, even of another
 * person; each message is the entry of one call at most, so no message comes twice.
 */
export function isEntryOf(message: Message | undefined, { call, callId }: CallRow): message is CallEntry {
  if (message?.body.kind !== 'call') return false;
  return message.body.callId === callId && callKey(message.conversation, callId) === call;
}

/** A call's row with its entry; undefined if there is none, or if what the row names is something else. */
export async function findCall(
  batch: Batch,
  conversation: UserId,
  callId: CallId,
): Promise<{ readonly row: CallRow; readonly entry: CallEntry } | undefined> {
  const row = await batch.call(callKey(conversation, callId));
  const entry = row && (await batch.message(row.messageId));
  return row !== undefined && isEntryOf(entry, row) ? { row, entry } : undefined;
}
