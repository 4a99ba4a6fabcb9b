import { StagedStore } from '../../crypto/sessions/staged-store.ts';
import type { MessageId, UserId } from '../../protocol/ids.ts';
import type { ProfileDatabase, SeenRow } from '../db/profile-database.ts';
import type { Message } from '../modules/chat/model.ts';
import { findMessage, sealMessageRow, summarise } from './message-rows.ts';
import type { Profile } from './profile.ts';
import { SessionRows, sessionWrites } from './session-rows.ts';
import type { ChatChanges } from './vault.ts';

type Write = (db: ProfileDatabase) => PromiseLike<unknown>;

/**
 * The writes of one operation, gathered and then committed in one transaction: all of them or none. Reads through it see
 * what was gathered. Sealing happens before the transaction begins, since IndexedDB ends one that waits for anything else.
 */
export class Batch {
  /** Session operations work on this; their changes are among the writes. */
  readonly sessions: StagedStore;
  readonly #profile: Profile;
  readonly #messages = new Map<MessageId, Message>();
  readonly #removed = new Set<MessageId>();
  readonly #seen = new Map<string, SeenRow>();
  readonly #renew = new Map<string, boolean>();
  readonly #touched = new Set<UserId>();
  readonly #writes: Write[] = [];
  readonly #afterwards: (() => void)[] = [];

  constructor(profile: Profile) {
    this.#profile = profile;
    this.sessions = new StagedStore(new SessionRows(profile));
  }

  async message(messageId: MessageId): Promise<Message | undefined> {
    return this.#messages.get(messageId) ?? (await findMessage(this.#profile, messageId));
  }

  putMessage(message: Message): void {
    this.#messages.set(message.messageId, message);
    this.#touched.add(message.conversation);
  }

  removeMessage(message: Message): void {
    this.#messages.delete(message.messageId);
    this.#removed.add(message.messageId);
    this.#touched.add(message.conversation);
  }

  async seen(envelope: string): Promise<SeenRow | undefined> {
    return this.#seen.get(envelope) ?? (await this.#profile.db.seen.get(envelope));
  }

  markSeen(envelope: string, readable: boolean): void {
    this.#seen.set(envelope, { envelope, readable, at: this.#profile.now() });
  }

  /** Whether the next send to that device (`addressKey`) begins a new session. */
  setRenew(address: string, renew: boolean): void {
    this.#renew.set(address, renew);
  }

  /** Has the conversation's summary told with the changes. */
  touch(conversation: UserId): void {
    this.#touched.add(conversation);
  }

  /** Any other write; it must touch nothing but the database, or the transaction ends early. */
  write(write: Write): void {
    this.#writes.push(write);
  }

  /** Changes of what is kept in memory, once the writes are durable. */
  afterCommit(act: () => void): void {
    this.#afterwards.push(act);
  }

  async commit(): Promise<ChatChanges> {
    const profile = this.#profile;
    const messages = [...this.#messages.values()];
    const rows = await Promise.all(messages.map((message) => sealMessageRow(profile, message)));
    const writeSessions = await sessionWrites(profile, this.sessions.changes(), this.#renew);
    await profile.db.transaction('rw', profile.db.tables, async () => {
      await writeSessions(profile.db);
      await profile.db.messages.bulkPut(rows);
      await profile.db.messages.bulkDelete([...this.#removed]);
      await profile.db.seen.bulkPut([...this.#seen.values()]);
      for (const write of this.#writes) await write(profile.db);
    });
    for (const act of this.#afterwards) act();
    const conversations = await Promise.all([...this.#touched].map((userId) => summarise(profile, userId)));
    return { messages, removed: [...this.#removed], conversations };
  }
}
