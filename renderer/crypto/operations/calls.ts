import type { CallMedia } from '../../../protocol/chat.ts';
import { MessageId } from '../../../protocol/ids.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { CallOutcome, Message } from '../../modules/chat/model.ts';
import { Batch } from '../batch.ts';
import { findMessage } from '../message-rows.ts';
import type { Profile } from '../profile.ts';
import type { ChatChanges } from '../vault.ts';

export interface EndedCall {
  readonly conversation: UserId;
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly outcome: CallOutcome;
  readonly durationMs: number | null;
  readonly onlyOngoing: boolean;
}

/** The key of a call's row: what one person calls by an id is not what another does. */
export function callKey(conversation: UserId, callId: CallId): string {
  return `${conversation}:${callId}`;
}

/** See `Vault.endCall`. Creates the entry where it is missing: the call's own message may come later, or never. */
export async function endCall(profile: Profile, ended: EndedCall): Promise<ChatChanges> {
  const { conversation, callId, media, outcome, durationMs, onlyOngoing } = ended;
  const batch = new Batch(profile);
  const call = callKey(conversation, callId);
  const row = await profile.db.calls.get(call);
  const known = row && (await findMessage(profile, row.messageId));
  if (onlyOngoing && row?.ongoing !== 1) return batch.commit();
  const entry = known ?? incomingEntry(profile, conversation);
  batch.putMessage({ ...entry, body: { kind: 'call', callId, media, outcome, durationMs } });
  const { messageId, mine } = entry;
  batch.write((db) => db.calls.put({ call, callId, messageId, ongoing: outcome === 'ongoing' ? 1 : 0 }));
  if (!mine && outcome === 'missed' && known === undefined) {
    batch.markUnread(entry, true);
  } else if (outcome !== 'missed' && outcome !== 'ongoing') {
    // Who answered or declined has seen it.
    batch.markRead(conversation, [messageId]);
  }
  return batch.commit();
}

/** One's own calls have their entry from the start, so a missing one is somebody's call to us. */
function incomingEntry(profile: Profile, conversation: UserId): Omit<Message, 'body'> {
  const sentAt = profile.now();
  const messageId = MessageId.parse(crypto.randomUUID());
  return { messageId, conversation, sender: conversation, mine: false, sentAt, order: sentAt * 1000, state: null };
}

/** See `Vault.ongoingCalls`. */
export async function ongoingCalls(profile: Profile) {
  const rows = await profile.db.calls.where('ongoing').equals(1).toArray();
  const entries = await Promise.all(rows.map((row) => findMessage(profile, row.messageId)));
  return entries.flatMap((entry) =>
    entry?.body.kind === 'call'
      ? [{ conversation: entry.conversation, callId: entry.body.callId, media: entry.body.media, mine: entry.mine }]
      : [],
  );
}
