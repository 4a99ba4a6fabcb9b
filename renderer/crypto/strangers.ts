import type { UserId } from '../../protocol/ids.ts';
import { AFTER_ALL } from './message-rows.ts';
import { readPin } from './pins.ts';
import type { Profile } from './profile.ts';

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
