import type { CallMedia } from '../../../protocol/chat.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { CallOutcome, Message } from '../../modules/chat/model.ts';
import { Batch } from '../batch.ts';
import { callKey, findCall, isEntryOf } from '../call-rows.ts';
import type { CallBody, CallEntry } from '../call-rows.ts';
import { LIMITS } from '../limits.ts';
import { openMessageRow } from '../message-rows.ts';
import type { Profile } from '../profile.ts';
import { newMessageId } from '../queued-message.ts';
import type { ChatChanges, OngoingCalls } from '../vault.ts';

export interface EndedCall {
  readonly conversation: UserId;
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly outcome: CallOutcome;
  readonly durationMs: number | null;
}

const HOUR_MS = 60 * 60 * 1000;
const CERTAINTY: Record<CallOutcome, number> = {
  ongoing: 0,
  missed: 1,
  cancelled: 1,
  unanswered: 1,
  declined: 2,
  answered: 3,
};

/** See `Vault.endCall`. Creates the entry where it is missing: the call's own message may come later, or never. */
export async function endCall(profile: Profile, ended: EndedCall): Promise<ChatChanges> {
  const batch = new Batch(profile);
  const known = await findCall(batch, ended.conversation, ended.callId);
  if (known === undefined) {
    await addUnannounced(profile, batch, ended);
    return batch.commit();
  }
  const { row, entry } = known;
  const body = endedBody(entry, ended);
  batch.putMessage({ ...entry, body });
  const unannounced = wasThere(ended) ? undefined : row.unannounced;
  batch.putCall({ ...row, ongoing: body.outcome === 'ongoing' ? 1 : 0, unannounced });
  // Who answered or declined has seen it.
  if (ended.outcome !== 'missed' && ended.outcome !== 'ongoing') batch.markRead(entry.conversation, [entry.messageId]);
  return batch.commit();
}

/**
 * What the entry says then. The server tells how a call ended: it cannot unsay that one was answered or declined, nor
 * say of this person's own call that it was missed.
 */
function endedBody({ body, mine }: CallEntry, { outcome: told, durationMs }: EndedCall): CallBody {
  const outcome = mine && told === 'missed' ? 'unanswered' : told;
  if (CERTAINTY[outcome] < CERTAINTY[body.outcome]) return body;
  return { ...body, outcome, durationMs: outcome === 'answered' ? (durationMs ?? body.durationMs) : durationMs };
}

/**
 * An entry of a call of which nothing came by the encrypted way yet. One's own calls have their entry from the start, so
 * it is somebody's call to us. Where this person did not take part it is there on the server's word alone, so these are
 * bounded: calls missed of one person by the hour, and all of them by their number.
 */
async function addUnannounced(profile: Profile, batch: Batch, ended: EndedCall): Promise<void> {
  const { conversation, callId, media, outcome, durationMs } = ended;
  const now = profile.now();
  const unannounced = wasThere(ended) ? undefined : now;
  const rows = unannounced === undefined ? [] : await profile.db.calls.orderBy('unannounced').toArray();
  const recent = rows.filter(
    ({ call, unannounced = 0 }) =>
      call.startsWith(callKey(conversation, '' as CallId)) && isWithinHour(unannounced, now),
  );
  if (outcome === 'missed' && recent.length >= LIMITS.unannouncedInAnHour.value) return;
  await forget(batch, rows.slice(0, Math.max(0, rows.length + 1 - LIMITS.unannouncedCalls.value)));
  const entry: Message = {
    messageId: newMessageId(now),
    conversation,
    sender: conversation,
    mine: false,
    sentAt: now,
    order: now * 1000,
    state: null,
    body: { kind: 'call', callId, media, outcome, durationMs },
  };
  const { messageId } = entry;
  batch.putMessage(entry);
  const ongoing = outcome === 'ongoing' ? 1 : 0;
  batch.putCall({ call: callKey(conversation, callId), callId, messageId, ongoing, at: now, unannounced });
  // The caller does not know this id, so there is nothing to confirm.
  if (outcome === 'missed') batch.markUnread(entry, false);
}

/** Whether this person talked on this device: no server can make that up. */
function wasThere({ durationMs }: EndedCall): boolean {
  return durationMs !== null;
}

function isWithinHour(at: number, now: number): boolean {
  return Math.abs(now - at) < HOUR_MS;
}

async function forget(batch: Batch, rows: Parameters<typeof isEntryOf>[1][]): Promise<void> {
  await batch.load(rows.map(({ messageId }) => messageId));
  for (const row of rows) {
    const entry = await batch.message(row.messageId);
    if (isEntryOf(entry, row)) {
      batch.removeMessage(entry);
      batch.markRead(entry.conversation, [entry.messageId]);
    }
    batch.write((db) => db.calls.delete(row.call));
  }
}

/** See `Vault.ongoingCalls`. Rows of earlier versions that name no entry of their call are let go. */
export async function ongoingCalls(profile: Profile, after: string | null = null): Promise<OngoingCalls> {
  const { db } = profile;
  const limit = LIMITS.callsInATurn.value;
  const rows = await db.calls
    .where('[ongoing+call]')
    .between([1, after ?? ''], [1, '\uffff'], false, false)
    .limit(limit)
    .toArray();
  const stored = await db.messages.bulkGet(rows.map(({ messageId }) => messageId));
  const entries = await Promise.all(stored.map((row) => row && openMessageRow(profile, row)));
  const stray = rows.filter((row, i) => !isEntryOf(entries[i], row)).map(({ call }) => call);
  if (stray.length > 0) await db.calls.bulkDelete(stray);
  const calls = rows.flatMap((row, i) => {
    const entry = entries[i];
    if (!isEntryOf(entry, row)) return [];
    const { conversation, mine, body } = entry;
    return [{ conversation, callId: body.callId, media: body.media, mine }];
  });
  return { calls, next: rows.length === limit ? (rows.at(-1)?.call ?? null) : null };
}

/** See `Vault.settleCalls`. */
export async function settleCalls(
  profile: Profile,
  over: readonly { readonly conversation: UserId; readonly callId: CallId }[],
): Promise<ChatChanges> {
  const batch = new Batch(profile);
  for (const { conversation, callId } of over) {
    const known = await findCall(batch, conversation, callId);
    if (known?.row.ongoing !== 1) continue;
    const { row, entry } = known;
    const outcome = entry.mine ? 'unanswered' : 'missed';
    batch.putMessage({ ...entry, body: { ...entry.body, outcome } });
    batch.putCall({ ...row, ongoing: 0 });
    // One's own has been seen.
    if (entry.mine) batch.markRead(conversation, [entry.messageId]);
  }
  return batch.commit();
}
