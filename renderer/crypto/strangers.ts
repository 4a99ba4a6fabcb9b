import type { UserId } from '../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import { AFTER_ALL, messageRowsBefore } from './message-rows.ts';
import type { SealedPart } from './message-rows.ts';
import { readPin } from './pins.ts';
import type { Profile } from './profile.ts';
import type { ConversationSummary } from './vault.ts';

/** Whether anything is known of a person but what a server says: keys, or a conversation. */
export async function isKnown(profile: Profile, userId: UserId): Promise<boolean> {
  return (await hasKeys(profile, userId)) || (await hasConversation(profile, userId));
}

/** Whether keys of that person were seen, be they in doubt or damaged. A mere name is no more than the server's word. */
async function hasKeys(profile: Profile, userId: UserId): Promise<boolean> {
  const { info, peers, doubts, damaged } = profile;
  if (userId === info.userId || peers.has(userId) || doubts.has(userId) || damaged.has(userId)) return true;
  const pin = await readPin(profile, userId);
  return pin !== null && (pin.accountKey !== null || pin.listVersion > 0 || pin.damaged === true);
}

async function hasConversation({ db }: Profile, userId: UserId): Promise<boolean> {
  const messages = db.messages.where('[conversation+order]').between([userId, 0], [userId, AFTER_ALL], true, true);
  const drafts = db.conversations.where('userId').equals(userId);
  return (await messages.limit(1).count()) > 0 || (await drafts.count()) > 0;
}

/**
 * Forgets conversations that earlier versions made of what people sent who do not exist: of whom no key was ever seen,
 * and with nothing in them but what could not be read. Returns the others.
 */
export async function withoutNobody(
  profile: Profile,
  summaries: readonly ConversationSummary[],
): Promise<readonly ConversationSummary[]> {
  const kept: ConversationSummary[] = [];
  for (const summary of summaries) {
    const { last, draft, userId } = summary;
    const isSuspect = last?.body.kind === 'unreadable' && draft === '' && !(await hasKeys(profile, userId));
    if (!isSuspect || !(await forgetUnreadable(profile, userId))) kept.push(summary);
  }
  return kept;
}

/** False, and nothing is forgotten, if there is anything else. What is damaged on this disk may have been something else. */
async function forgetUnreadable(profile: Profile, userId: UserId): Promise<boolean> {
  const { db, sealer, summaries } = profile;
  const most = LIMITS.unreadableOfNobody.value;
  const rows = await messageRowsBefore(profile, userId, AFTER_ALL, most + 1);
  const parts = rows.map(({ messageId, sealed }) =>
    sealer.openIntact<Partial<SealedPart>>('messages', messageId, sealed),
  );
  const isNothing = (await Promise.all(parts)).every((part) => part?.body?.kind === 'unreadable');
  if (!isNothing || rows.length > most) return false;
  const ids = rows.map(({ messageId }) => messageId);
  await db.transaction('rw', [db.messages, db.unread], () =>
    Promise.all([db.messages.bulkDelete(ids), db.unread.bulkDelete(ids)]),
  );
  summaries.forget(userId);
  return true;
}
