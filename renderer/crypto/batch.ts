import { Dexie } from 'dexie';
import type { Table } from 'dexie';
import { StagedStore } from '../../crypto/sessions/staged-store.ts';
import type { MessageId, UserId } from '../../protocol/ids.ts';
import type { CallRow, MessageRow, ProfileDatabase, SeenRow, UnreadRow } from '../db/profile-database.ts';
import type { Message } from '../modules/chat/model.ts';
import { openMessageRow, sealMessageRow } from './message-rows.ts';
import { plausible } from './plausible.ts';
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
  /** The highest order among those put, by conversation. */
  readonly #newest = new Map<UserId, number>();
  readonly #removed = new Set<MessageId>();
  readonly #seen = new Map<string, SeenRow>();
  readonly #calls = new Map<string, CallRow>();
  readonly #renew = new Map<string, boolean>();
  readonly #unread = new Map<UserId, UnreadRow[]>();
  readonly #read = new Map<UserId, MessageId[]>();
  readonly #drafts = new Map<UserId, string>();
  /** Rows that were read for this batch ahead of time; null for those that are not there. */
  readonly #stored = new Map<MessageId, MessageRow | null>();
  /** Rows that were opened: whoever writes may name the same message again and again. */
  readonly #opened = new Map<MessageId, Message>();
  #looked = 0;
  /** Envelopes and messages that must not be there yet. */
  readonly #new = new Set<string>();
  readonly #touched = new Set<UserId>();
  readonly #writes: (Write | Promise<Write>)[] = [];
  readonly #afterwards: (() => void)[] = [];

  constructor(profile: Profile) {
    this.#profile = profile;
    this.sessions = new StagedStore(new SessionRows(profile));
  }

  async message(messageId: MessageId): Promise<Message | undefined> {
    const known = this.#messages.get(messageId) ?? this.#opened.get(messageId);
    if (known !== undefined) return known;
    const stored = this.#stored.get(messageId);
    const row = stored === undefined ? await this.#profile.db.messages.get(messageId) : stored;
    if (!row) return undefined;
    const opened = await openMessageRow(this.#profile, row);
    this.#opened.set(messageId, opened);
    return opened;
  }

  /** Those of these messages that are of this conversation. Others are not opened. */
  async messagesOf(conversation: UserId, messageIds: readonly MessageId[]): Promise<readonly Message[]> {
    const here = await this.idsOf(conversation, messageIds);
    const messages = await Promise.all(here.map((messageId) => this.message(messageId)));
    return messages.filter((message) => message !== undefined);
  }

  /** The ids of those of these messages that are of this conversation, each once. */
  async idsOf(conversation: UserId, messageIds: readonly MessageId[]): Promise<readonly MessageId[]> {
    const distinct = [...new Set(messageIds)];
    await this.load(distinct);
    const rowOf = (messageId: MessageId) => this.#messages.get(messageId) ?? this.#stored.get(messageId);
    return distinct.filter((messageId) => rowOf(messageId)?.conversation === conversation);
  }

  /** How many rows were looked for because an envelope named them. */
  get looked(): number {
    return this.#looked;
  }

  /** Reads these ahead of time, in one go: a receipt names up to 200. */
  async load(messageIds: readonly MessageId[]): Promise<void> {
    const unknown = [...new Set(messageIds)].filter((messageId) => !this.#stored.has(messageId));
    this.#looked += unknown.length;
    const rows = await this.#profile.db.messages.bulkGet(unknown);
    for (const [i, messageId] of unknown.entries()) this.#stored.set(messageId, rows[i] ?? null);
  }

  /** Its numbers are brought within what can be kept and shown, whoever they are from. */
  putMessage(message: Message): void {
    const { conversation, messageId } = message;
    const { now, summaries } = this.#profile;
    const newest = this.#newest.get(conversation) ?? summaries.newestOrder(conversation);
    const kept = plausible(message, now(), newest);
    this.#messages.set(messageId, kept);
    this.#newest.set(conversation, Math.max(newest, kept.order));
    this.#touched.add(conversation);
  }

  removeMessage(message: Message): void {
    this.#messages.delete(message.messageId);
    this.#removed.add(message.messageId);
    this.#touched.add(message.conversation);
  }

  /** Reads the marks of these envelopes, and what is stored under the ids of these messages, in one go. */
  async seen(envelopes: readonly string[], messages: readonly MessageId[]): Promise<ReadonlyMap<string, SeenRow>> {
    const { db } = this.#profile;
    const [marks, rows] = await db.transaction('r', [db.seen, db.messages], () =>
      Promise.all([db.seen.bulkGet([...envelopes]), db.messages.bulkGet([...messages])]),
    );
    for (const [i, messageId] of messages.entries()) this.#stored.set(messageId, rows[i] ?? null);
    return new Map(marks.flatMap((row) => (row === undefined ? [] : [[row.envelope, row]])));
  }

  /** Takes it that neither this envelope nor a message of this id was there before. If one was, `commit` rejects: `isTaken`. */
  expectNew(envelope: string, messageId: MessageId): void {
    this.#new.add(envelope).add(messageId);
    this.#stored.set(messageId, null);
  }

  /** The mark that this batch makes. */
  marked(envelope: string): SeenRow | undefined {
    return this.#seen.get(envelope);
  }

  async call(call: string): Promise<CallRow | undefined> {
    return this.#calls.get(call) ?? (await this.#profile.db.calls.get(call));
  }

  putCall(row: CallRow): void {
    this.#calls.set(row.call, row);
  }

  /** `confirm`: whether its sender is to be told once it is read. */
  markUnread({ messageId, conversation }: Pick<Message, 'messageId' | 'conversation'>, confirm: boolean): void {
    appendTo(this.#unread, conversation, [{ messageId, conversation, confirm }]);
    this.#touched.add(conversation);
  }

  /** The other way round: these have been seen, and count as unread no more. */
  markRead(conversation: UserId, messageIds: readonly MessageId[]): void {
    appendTo(this.#read, conversation, messageIds);
    this.#touched.add(conversation);
  }

  /** An empty text removes it. */
  setDraft(conversation: UserId, text: string): void {
    this.#drafts.set(conversation, text);
    this.#touched.add(conversation);
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

  /** Any other write, or one whose row is being sealed; it must touch nothing but the database, or the transaction ends early. */
  write(write: Write | Promise<Write>): void {
    // Its failure is the commit's.
    if (write instanceof Promise) write.catch(() => {});
    this.#writes.push(write);
  }

  /** Changes of what is kept in memory, once the writes are durable. */
  afterCommit(act: () => void): void {
    this.#afterwards.push(act);
  }

  async commit(): Promise<ChatChanges> {
    const profile = this.#profile;
    const messages = [...this.#messages.values()];
    const [rows, sessions, drafts, others] = await Promise.all([
      Promise.all(messages.map((message) => sealMessageRow(profile, message))),
      sessionWrites(profile, this.sessions.changes(), this.#renew),
      this.#draftWrites(),
      Promise.all(this.#writes),
    ]);
    const { db } = profile;
    const unread = [...this.#unread.values()].flat();
    const read = [...this.#read.values()].flat();
    // Requests of one transaction are carried out in the order in which they are made; nothing waits for an answer.
    const writes: Write[] = [
      sessions.write,
      ...this.#addOrPut(db.messages, rows, ({ messageId }) => messageId),
      ...(this.#removed.size > 0 ? [() => db.messages.bulkDelete([...this.#removed])] : []),
      ...this.#addOrPut(db.seen, [...this.#seen.values()], ({ envelope }) => envelope),
      ...(this.#calls.size > 0 ? [() => db.calls.bulkPut([...this.#calls.values()])] : []),
      ...(unread.length > 0 ? [() => db.unread.bulkPut(unread)] : []),
      ...(read.length > 0 ? [() => db.unread.bulkDelete(read)] : []),
      ...drafts,
      ...others,
    ];
    await db.transaction('rw', db.tables, () => Promise.all(writes.map((write) => write(db))));
    sessions.committed();
    profile.summaries.apply({
      touched: this.#touched,
      messages,
      removed: this.#removed,
      unread: this.#unread,
      read: this.#read,
      drafts: this.#drafts,
    });
    for (const act of this.#afterwards) act();
    const summaries = [...this.#touched].map((userId) => profile.summaries.summarise(profile, userId));
    return { messages, removed: [...this.#removed], conversations: await Promise.all(summaries) };
  }

  #addOrPut<R, K extends string>(table: Table<R, K>, rows: readonly R[], keyOf: (row: R) => string): Write[] {
    const added = rows.filter((row) => this.#new.has(keyOf(row)));
    const put = rows.filter((row) => !this.#new.has(keyOf(row)));
    return [...added.map((row) => () => table.add(row)), ...(put.length > 0 ? [() => table.bulkPut(put)] : [])];
  }

  async #draftWrites(): Promise<Write[]> {
    const { sealer, summaries } = this.#profile;
    const changed = [...this.#drafts].filter(([userId, text]) => summaries.draftOf(userId) !== text);
    const writes = changed.map(async ([userId, text]): Promise<Write> => {
      if (text === '') return (db) => db.conversations.delete(userId);
      const sealed = await sealer.seal('conversations', userId, text);
      return (db) => db.conversations.put({ userId, sealed });
    });
    return Promise.all(writes);
  }
}

function appendTo<T>(lists: Map<UserId, T[]>, conversation: UserId, added: readonly T[]): void {
  const list = lists.get(conversation) ?? [];
  lists.set(conversation, list);
  for (const item of added) list.push(item);
}

/** Whether a commit failed because something was there that was expected to be new. */
export function isTaken(error: unknown): boolean {
  return error instanceof Dexie.ConstraintError;
}
