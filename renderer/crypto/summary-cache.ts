import type { MessageId, UserId } from '../../protocol/ids.ts';
import type { UnreadRow } from '../db/profile-database.ts';
import type { Message } from '../modules/chat/model.ts';
import { AFTER_ALL, messageRowsBefore, openMessageRow } from './message-rows.ts';
import { problemWith } from './profile.ts';
import type { Profile } from './profile.ts';
import type { ConversationSummary } from './vault.ts';

/** What a batch changes of how conversations stand. */
export interface SummaryChanges {
  /** Every conversation that anything below is about. */
  readonly touched: ReadonlySet<UserId>;
  readonly messages: readonly Message[];
  readonly removed: ReadonlySet<MessageId>;
  readonly unread: ReadonlyMap<UserId, readonly Pick<UnreadRow, 'messageId'>[]>;
  readonly read: ReadonlyMap<UserId, readonly MessageId[]>;
  readonly drafts: ReadonlyMap<UserId, string>;
}

interface Known {
  readonly last: Message | null;
  /** Changed in place: with every message that comes, a copy of many would cost more than all else. */
  readonly unread: Set<MessageId>;
  readonly draft: string;
}

/**
 * How conversations stand, kept in memory: every message changes it, and reading it anew would take three more trips to
 * the database, one of them a count. Right for the same reasons as SessionCache.
 */
export class SummaryCache {
  readonly #known = new Map<UserId, Known>();

  async summarise(profile: Profile, userId: UserId): Promise<ConversationSummary> {
    const { last, unread, draft } = await this.#load(profile, userId);
    const listIssuedAt = profile.peers.get(userId)?.list.issuedAt;
    return { userId, last, unread: unread.size, draft, problem: problemWith(profile, userId), listIssuedAt };
  }

  /** The newest message of a conversation, by its order. */
  async newest(profile: Profile, userId: UserId): Promise<Message | null> {
    return (await this.#load(profile, userId)).last;
  }

  /** What is unread in a conversation; what came since it is known stands at the end, as it came. */
  async unread(profile: Profile, userId: UserId): Promise<ReadonlySet<MessageId>> {
    return (await this.#load(profile, userId)).unread;
  }

  /** The order of the newest message; 0 if that is not known without looking, or if there is none. */
  newestOrder(userId: UserId): number {
    return this.#known.get(userId)?.last?.order ?? 0;
  }

  /** What is stored of the draft; undefined if that is not known without looking. */
  draftOf(userId: UserId): string | undefined {
    return this.#known.get(userId)?.draft;
  }

  /** There is nothing left of this conversation. */
  forget(userId: UserId): void {
    this.#known.delete(userId);
  }

  /** To be told once the changes are durable. */
  apply(changes: SummaryChanges): void {
    const byConversation = Map.groupBy(changes.messages, ({ conversation }) => conversation);
    for (const userId of changes.touched) {
      const known = this.#known.get(userId);
      if (known === undefined) continue;
      const last = lastAfter(known.last, byConversation.get(userId) ?? [], changes.removed);
      if (last === 'unknown') {
        this.#known.delete(userId);
        continue;
      }
      const { unread } = known;
      for (const { messageId } of changes.unread.get(userId) ?? []) unread.add(messageId);
      for (const messageId of changes.read.get(userId) ?? []) unread.delete(messageId);
      this.#known.set(userId, { last, unread, draft: changes.drafts.get(userId) ?? known.draft });
    }
  }

  async #load(profile: Profile, userId: UserId): Promise<Known> {
    const known = this.#known.get(userId);
    if (known !== undefined) return known;
    const { db, sealer } = profile;
    const [[newest], draft, unread] = await Promise.all([
      messageRowsBefore(profile, userId, AFTER_ALL, 1),
      db.conversations.get(userId),
      db.unread.where('conversation').equals(userId).primaryKeys(),
    ]);
    const loaded: Known = {
      last: newest === undefined ? null : await openMessageRow(profile, newest),
      unread: new Set(unread),
      draft: (draft && (await sealer.openIntact<string>('conversations', userId, draft.sealed))) ?? '',
    };
    this.#known.set(userId, loaded);
    return loaded;
  }
}

/** The newest message after these changes; unknown if the one that was newest went back in the order, or away. */
function lastAfter(
  before: Message | null,
  messages: readonly Message[],
  removed: ReadonlySet<MessageId>,
): Message | null | 'unknown' {
  if (before !== null && removed.has(before.messageId)) return 'unknown';
  let last = before;
  for (const message of messages) {
    if (last === null || message.order >= last.order) last = message;
    else if (message.messageId === last.messageId) return 'unknown';
  }
  return last;
}
