import type { ErrorCode } from '../../../protocol/errors.ts';
import type { MessageId, UserId } from '../../../protocol/ids.ts';
import type { DeliveryState } from '../../modules/chat/model.ts';
import { Batch } from '../batch.ts';
import { findCall } from '../call-rows.ts';
import { findMessage } from '../message-rows.ts';
import { deviceOf } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { Accepted, ChatChanges } from '../vault.ts';
import { noteHandOverDue } from './hand-over.ts';
import { openOutboxItem } from './outbox-items.ts';
import { keepDue } from './receipts.ts';

const RANK: Record<DeliveryState, number> = { queued: 0, failed: 0, sent: 1, delivered: 2, read: 3 };
/** The same bytes are refused again, whenever they are sent; `internal` of one message alone is a fault that it wakes. */
const OF_THE_BYTES: ReadonlySet<ErrorCode> = new Set(['frame_too_large', 'invalid_request', 'internal']);

/** The later of two states: a receipt may overtake the server's answer, and a late one undoes nothing. */
export function laterState(a: DeliveryState | null, b: DeliveryState): DeliveryState {
  return a !== null && RANK[a] >= RANK[b] ? a : b;
}

/** See `Vault.outbox`. */
export async function outbox({ db }: Profile): Promise<readonly UserId[]> {
  const rows = await db.outbox.where('[waiting+conversation]').between([1, ''], [1, '\uffff']).toArray();
  return [...new Set(rows.map(({ conversation }) => conversation))];
}

/** See `Vault.sent`. */
export async function sent(profile: Profile, accepted: Accepted | readonly Accepted[]): Promise<ChatChanges> {
  const batch = new Batch(profile);
  const all = [accepted].flat() as readonly Accepted[];
  const ids = all.map(({ messageId }) => messageId);
  batch.write((db) => db.outbox.where('messageId').anyOf(ids).delete());
  for (const { messageId, position } of all) {
    const message = await batch.message(messageId);
    if (message !== undefined) profile.receiptsRest.delete(message.conversation);
    // A receipt has no message, and whoever got it knows its id: a message under it is theirs.
    if (message?.mine !== true) continue;
    batch.putMessage({ ...message, order: position, state: laterState(message.state, 'sent'), failure: undefined });
  }
  return batch.commit();
}

/**
 * See `Vault.sendFailed`. Receipts have no message to show a failure on: they are due again, unless what they are was
 * refused. A hand-over is due again, since the device that it is for waits until it has one.
 */
export async function sendFailed(profile: Profile, messageId: MessageId, failure?: ErrorCode): Promise<ChatChanges> {
  await keepHandOverDue(profile, messageId);
  const batch = new Batch(profile);
  const message = await batch.message(messageId);
  if (message?.mine !== true) {
    const row = await profile.db.outbox.where('messageId').equals(messageId).first();
    const item = row === undefined ? null : await openOutboxItem(profile, row);
    if (item !== null && (failure === undefined || !OF_THE_BYTES.has(failure))) keepDue(profile, batch, item.content);
    batch.write((db) => db.outbox.where('messageId').equals(messageId).delete());
  } else {
    batch.write((db) => db.outbox.where('messageId').equals(messageId).modify({ waiting: 0 }));
    batch.putMessage({ ...message, state: 'failed', failure });
  }
  return batch.commit();
}

async function keepHandOverDue(profile: Profile, messageId: MessageId): Promise<void> {
  const row = await profile.db.outbox.where('messageId').equals(messageId).first();
  if (row === undefined) return;
  const item = await openOutboxItem(profile, row);
  if (item?.content.content.kind === 'hand-over') await noteHandOverDue(profile, item.content.content);
  const { userId } = profile.info;
  if (item !== null || row.conversation !== userId || (await findMessage(profile, messageId)) !== undefined) return;
  // Damaged, and most likely a hand-over: devices that have had theirs pass another one over.
  for (const device of profile.peers.get(userId)?.list.devices ?? []) {
    if (device.deviceId !== deviceOf(profile).deviceId) await noteHandOverDue(profile, device);
  }
}

/** See `Vault.retry`. */
export async function retry(profile: Profile, messageId: MessageId): Promise<ChatChanges> {
  const batch = new Batch(profile);
  const message = await batch.message(messageId);
  if (message?.state !== 'failed') return batch.commit();
  profile.outboxEmpty.delete(message.conversation);
  batch.write((db) => db.outbox.where('messageId').equals(messageId).modify({ waiting: 1 }));
  batch.putMessage({ ...message, state: 'queued', failure: undefined });
  return batch.commit();
}

/** See `Vault.discard`. Only what failed: anything else may be on its way. */
export async function discard(profile: Profile, messageId: MessageId): Promise<ChatChanges> {
  const batch = new Batch(profile);
  const message = await batch.message(messageId);
  if (message?.state !== 'failed') return batch.commit();
  batch.write((db) => db.outbox.where('messageId').equals(messageId).delete());
  const { body, conversation } = message;
  const call = body.kind === 'call' ? await findCall(batch, conversation, body.callId) : undefined;
  if (call?.entry.messageId === messageId) batch.write((db) => db.calls.delete(call.row.call));
  batch.removeMessage(message);
  return batch.commit();
}
