import * as wire from '../../../protocol/chat.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import { listChanged } from '../../../protocol/devices.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { CallId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { ChatChanges, ConversationSummary, ReadTurn, ReceiveOutcome, Vault } from '../../crypto/vault.ts';
import { newMessageId, queuedOrder } from '../../crypto/queued-message.ts';
import type { Host } from '../../host/host.ts';
import type { Connection } from '../../net/connection.ts';
import { isLinked, isLive } from '../../net/when-online.ts';
import type { ContactsController } from '../contacts/model.ts';
import { CallEntries } from './call-entries.ts';
import { DeviceLists } from './device-lists.ts';
import { Inbox } from './inbox.ts';
import { mergeMessages } from './merge-messages.ts';
import { MissedMessages, type MissedCounts } from './missed-messages.svelte.ts';
import type { CallOutcome, ChatController, Conversation, Message } from './model.ts';
import { Notifications } from './notifications.ts';
import { Outbox } from './outbox.ts';
import { Receipts } from './receipts.ts';

const PAGE = 50;
/** Between the last key and the draft's being written, in milliseconds. */
const DRAFT_MS = 400;
/** What is seen within this time is marked as read together, and after it is on the screen. Milliseconds. */
const READ_MS = 50;
/** A message of one's own that the vault has not kept by then is shown as queued meanwhile. Milliseconds. */
const SHOW_MS = 50;

export interface ChatDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly contacts: ContactsController;
  readonly host: Host;
  /** Whether the person looks at this window now. */
  readonly isLooking: () => boolean;
  /** Told of faults that nobody waits for; never gets content. */
  readonly report: (error: unknown) => void;
}

/** What is shown of the vault's conversations, and the loops that send and receive. */
export class Chat implements ChatController {
  readonly #deps: ChatDependencies;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #receipts: Receipts;
  readonly #callEntries: CallEntries;
  readonly #lists: DeviceLists;
  readonly #missed: MissedMessages;
  readonly #notifications: Notifications;
  #summaries: ReadonlyMap<UserId, ConversationSummary> = $state.raw(new Map<UserId, ConversationSummary>());
  #heldBack: ReadonlyMap<UserId, ErrorCode> = $state.raw(new Map<UserId, ErrorCode>());
  #openedId: UserId | null = $state.raw(null);
  messages: readonly Message[] = $state.raw([]);
  hasOlder = $state.raw(false);
  loading = $state.raw(false);
  readonly conversations: readonly Conversation[] = $derived.by(() => this.#list());
  readonly opened: Conversation | null = $derived.by(() =>
    this.#openedId === null ? null : this.#conversation(this.#openedId),
  );
  readonly unread: number = $derived(this.conversations.reduce((sum, { unread }) => sum + unread, 0));
  /** The opened conversation while its end is being looked at. */
  #watchedId: UserId | null = $state.raw(null);
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether something is being marked as read. */
  #reading = false;
  #badge = 0;
  #ownId = '' as UserId;
  #draftTimer: ReturnType<typeof setTimeout> | undefined;
  #unwrittenDraft: { readonly conversation: UserId; readonly text: string } | null = null;
  #loaded = false;

  constructor(deps: ChatDependencies) {
    this.#deps = deps;
    const { connection, vault, report } = deps;
    const apply = (changes: ChatChanges) => this.#apply(changes);
    this.#lists = new DeviceLists({ connection, vault, apply });
    this.#outbox = new Outbox({
      connection,
      vault,
      lists: this.#lists,
      apply,
      heldBack: (conversation, reason) => this.#held(conversation, reason),
      report,
    });
    this.#receipts = new Receipts(vault, this.#outbox, report);
    this.#missed = new MissedMessages({ connection, report });
    this.#callEntries = new CallEntries({ connection, vault, apply, report });
    this.#notifications = new Notifications((message) => void this.#notify(message).catch(report));
    const received = (outcome: ReceiveOutcome) => this.#received(outcome);
    this.#inbox = new Inbox({ connection, vault, lists: this.#lists, received, report });
    connection.on(wire.delivered, ({ envelope }) => (this.#loaded ? this.#inbox.add(envelope) : undefined));
    connection.on(wire.expiredChanged, () => (this.#mayWork() ? this.#missed.told() : undefined));
    connection.on(listChanged, ({ userId, version }) => this.#lists.changed(userId, version));
    connection.onResync((continues) => this.#resynchronise(continues));
    connection.onState((state) => {
      if (isLive(state)) void this.goOn().catch(report);
    });
  }

  /** `ownId`: the account that the vault has open. */
  async load(ownId: UserId): Promise<void> {
    this.#ownId = ownId;
    const summaries = await this.#deps.vault.conversations();
    this.#summaries = new Map(summaries.map((summary) => [summary.userId, summary]));
    this.#loaded = true;
    this.#showBadge();
  }

  clear(): void {
    this.#loaded = false;
    clearTimeout(this.#readTimer);
    this.#readTimer = undefined;
    this.close();
    for (const part of [this.#inbox, this.#receipts, this.#callEntries, this.#missed, this.#notifications]) {
      part.clear();
    }
    this.#summaries = new Map();
    this.#heldBack = new Map();
    this.#showBadge();
  }

  async open(userId: UserId): Promise<void> {
    if (this.#openedId === userId) return;
    this.close();
    this.#openedId = userId;
    await Promise.all([this.#loadPage(userId, null), this.#nameOf(userId)]);
  }

  close(): void {
    void this.#writeDraft();
    this.#openedId = null;
    this.#watchedId = null;
    this.messages = [];
    this.hasOlder = false;
  }

  async loadOlder(): Promise<void> {
    const oldest = this.messages[0];
    if (this.#openedId === null || oldest === undefined || !this.hasOlder || this.loading) return;
    await this.#loadPage(this.#openedId, oldest.order);
  }

  async recentCalls(limit: number): Promise<readonly Message[]> {
    return await this.#deps.vault.recentCalls(limit);
  }

  async send(text: string): Promise<void> {
    const conversation = this.#openedId;
    if (conversation === null || text.trim() === '') return;
    this.#forgetDraft(conversation);
    const before = this.#summaries.get(conversation) ?? emptySummary(conversation);
    const message = this.#queued(before, text);
    const { messageId, sentAt } = message;
    // Mostly the vault is done before that, and the screen is drawn once, with the message on its way.
    const showing = setTimeout(() => {
      const summary = this.#summaries.get(conversation) ?? before;
      this.#apply({ messages: [message], removed: [], conversations: [{ ...summary, last: message }] });
    }, SHOW_MS);
    try {
      const { changes, sealed } = await this.#deps.vault.enqueueText({ conversation, messageId, text, sentAt });
      this.#outbox.wake(conversation, sealed);
      this.#apply(changes);
    } catch (error) {
      // It was not kept, so it is not there.
      const summary = this.#summaries.get(conversation);
      const conversations = summary?.last === message ? [{ ...summary, last: before.last }] : [];
      this.#apply({ messages: [], removed: [messageId], conversations });
      throw error;
    } finally {
      clearTimeout(showing);
    }
  }

  async retry(messageId: MessageId): Promise<void> {
    this.#apply(await this.#deps.vault.retry(messageId));
    await this.#outbox.kick();
  }

  async discard(messageId: MessageId): Promise<void> {
    this.#apply(await this.#deps.vault.discard(messageId));
  }

  get missed(): MissedCounts {
    return this.#missed.counts;
  }

  async dismissMissed(): Promise<void> {
    await this.#missed.dismiss();
  }

  async dismissNameChange(): Promise<void> {
    if (this.#openedId !== null) await this.#deps.contacts.dismissNameChange(this.#openedId);
  }

  /** Sends what was put into the outbox elsewhere. */
  async sendWaiting(): Promise<void> {
    if (this.#mayWork()) await this.#outbox.kick();
  }

  setDraft(text: string): void {
    const conversation = this.#openedId;
    if (conversation === null) return;
    this.#change(conversation, { draft: text });
    this.#unwrittenDraft = { conversation, text };
    clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(() => void this.#writeDraft(), DRAFT_MS);
  }

  watch(seesEnd: boolean): void {
    this.#watchedId = seesEnd ? this.#openedId : null;
    this.#scheduleRead();
  }

  async callStarted(userId: UserId, callId: CallId, media: CallMedia): Promise<void> {
    const { changes, sealed } = await this.#deps.vault.enqueueCall({ conversation: userId, callId, media });
    this.#outbox.wake(userId, sealed);
    this.#apply(changes);
  }

  async callEnded(
    userId: UserId,
    callId: CallId,
    media: CallMedia,
    outcome: CallOutcome,
    durationMs: number | null,
  ): Promise<void> {
    const end = { conversation: userId, callId, media, outcome, durationMs };
    this.#apply(await this.#deps.vault.endCall(end));
    this.#receipts.schedule();
  }

  #mayWork(): boolean {
    return this.#loaded && isLinked(this.#deps.connection);
  }

  async #resynchronise(continues = false): Promise<void> {
    if (!this.#mayWork()) return;
    await this.#inbox.drain(continues);
    await this.#callEntries.settle();
    void this.#missed.refresh();
  }

  /** Whatever the line's loss, or this device's storage, has stopped. */
  async goOn(): Promise<void> {
    if (!this.#mayWork()) return;
    await Promise.all([this.#outbox.kick(), this.#inbox.work()]);
    await this.#receipts.collect();
  }

  #received(outcome: ReceiveOutcome): void {
    this.#apply(outcome.changes);
    if (outcome.acknowledge.length > 0) this.#receipts.schedule();
    for (const message of outcome.arrived) {
      if (message.body.kind === 'call') this.#callEntries.schedule(message.body.callId);
      if (message.body.kind === 'text' && !this.#isSeen(message)) this.#notifications.tell(message);
    }
  }

  #isSeen({ conversation }: Message): boolean {
    return this.#openedId === conversation && this.#deps.isLooking();
  }

  async #notify(message: Message): Promise<void> {
    const { body, conversation } = message;
    if (body.kind !== 'text' || this.#isSeen(message)) return;
    await this.#nameOf(conversation);
    this.#deps.host.notify({
      title: this.#deps.contacts.person(conversation).displayName,
      body: body.text,
      tag: conversation,
      onClick: () => void this.open(conversation),
    });
  }

  /** Names come from the directory; offline, the placeholder stays until the next time. */
  async #nameOf(userId: UserId): Promise<void> {
    await this.#deps.contacts.ensure([userId]).catch(() => undefined);
  }

  async #loadPage(conversation: UserId, before: number | null): Promise<void> {
    this.loading = true;
    try {
      const page = await this.#deps.vault.messages({ conversation, before, limit: PAGE });
      if (this.#openedId !== conversation) return;
      this.messages = mergeMessages(this.messages, page.messages, []);
      this.hasOlder = page.more;
    } finally {
      this.loading = false;
    }
  }

  #apply(changes: ChatChanges): void {
    if (!this.#loaded) return;
    const shown = changes.messages.filter((message) => this.#belongsOnScreen(message));
    if (shown.length > 0 || changes.removed.length > 0) {
      this.messages = mergeMessages(this.messages, shown, changes.removed);
    }
    if (changes.conversations.length === 0) return;
    const unknown = changes.conversations.filter(({ userId }) => !this.#summaries.has(userId));
    for (const { userId } of unknown) void this.#nameOf(userId);
    const draft = this.#unwrittenDraft;
    const news = changes.conversations.map((summary) =>
      summary.userId === draft?.conversation ? { ...summary, draft: draft.text } : summary,
    );
    this.#summaries = new Map([...this.#summaries, ...news.map((summary) => [summary.userId, summary] as const)]);
    this.#showBadge();
    this.#scheduleRead();
  }

  #scheduleRead(): void {
    const conversation = this.#watchedId;
    if (this.#reading || conversation === null || (this.#summaries.get(conversation)?.unread ?? 0) === 0) return;
    this.#readTimer ??= setTimeout(() => {
      this.#readTimer = undefined;
      void this.#markRead(conversation).catch(this.#deps.report);
    }, READ_MS);
  }

  /** In turns, so that what comes or is sent meanwhile does not wait. Ends with what was there, also where one looks away. */
  async #markRead(conversation: UserId): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      let through: MessageId | null = null;
      do {
        if (!this.#loaded) break;
        const turn: ReadTurn = await this.#deps.vault.markRead(conversation, through);
        through = turn.through;
        this.#apply(turn);
        this.#receipts.schedule();
      } while (through !== null);
    } finally {
      this.#reading = false;
    }
    this.#scheduleRead();
  }

  #showBadge(): void {
    if (this.#badge === this.unread) return;
    this.#badge = this.unread;
    this.#deps.host.setBadge(this.#badge);
  }

  /** Older than what is loaded stays unloaded, or the pages would have a hole. */
  #belongsOnScreen(message: Message): boolean {
    if (message.conversation !== this.#openedId) return false;
    const oldest = this.messages[0];
    return !this.hasOlder || oldest === undefined || message.order >= oldest.order;
  }

  #list(): Conversation[] {
    const shown = [...this.#summaries.values()].filter((summary) => summary.last !== null || summary.draft !== '');
    const order = ({ last }: ConversationSummary) => last?.order ?? 0;
    return shown.sort((a, b) => order(b) - order(a)).map(({ userId }) => this.#conversation(userId));
  }

  #conversation(userId: UserId): Conversation {
    const summary = this.#summaries.get(userId) ?? emptySummary(userId);
    // What is being looked at is not unread, even for the moment until it is marked.
    const unread = userId === this.#watchedId ? 0 : summary.unread;
    const heldBack = this.#heldBack.get(userId);
    return { ...summary, unread, person: this.#deps.contacts.person(userId), heldBack };
  }

  #held(userId: UserId, reason: ErrorCode | null): void {
    if ((this.#heldBack.get(userId) ?? null) === reason) return;
    const others = [...this.#heldBack].filter(([other]) => other !== userId);
    this.#heldBack = new Map(reason === null ? others : [...others, [userId, reason]]);
  }

  #change(userId: UserId, change: Partial<ConversationSummary>): void {
    const summary = this.#summaries.get(userId) ?? emptySummary(userId);
    this.#summaries = new Map(this.#summaries).set(userId, { ...summary, ...change });
  }

  #forgetDraft(conversation: UserId): void {
    clearTimeout(this.#draftTimer);
    this.#unwrittenDraft = null;
    this.#change(conversation, { draft: '' });
  }

  /** A message of one's own as the vault will describe it, unless it knows of a newer one before it. */
  #queued({ userId, last }: ConversationSummary, text: string): Message {
    const sentAt = Date.now();
    return {
      messageId: newMessageId(sentAt),
      conversation: userId,
      sender: this.#ownId,
      mine: true,
      body: { kind: 'text', text },
      sentAt,
      order: queuedOrder(last),
      state: 'queued',
    };
  }

  async #writeDraft(): Promise<void> {
    clearTimeout(this.#draftTimer);
    const draft = this.#unwrittenDraft;
    this.#unwrittenDraft = null;
    if (draft !== null) await this.#deps.vault.setDraft(draft).catch(this.#deps.report);
  }
}

function emptySummary(userId: UserId): ConversationSummary {
  return { userId, last: null, unread: 0, draft: '', problem: null };
}
