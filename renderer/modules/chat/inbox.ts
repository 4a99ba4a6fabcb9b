import * as wire from '../../../protocol/chat.ts';
import type { Envelope } from '../../../protocol/chat.ts';
import { addressKey } from '../../../crypto/sessions/session-store.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { ResultOf } from '../../../protocol/method.ts';
import type { ReceiveOutcome, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';
import { isLive } from '../../net/when-online.ts';
import type { DeviceLists } from './device-lists.ts';
import { LIMITS } from './limits.ts';

/** Envelopes handed to the vault at once: few enough that other operations get their turn. */
const BATCH = 20;
/** Envelopes asked for at once: first a few, more while they come quickly, fewer after a loss of the line. */
const FIRST_PAGE = 25;
const LARGEST_PAGE = 100;
const QUICK_MS = 1000;
/** Most queue ids in one acknowledgement. */
const ACKNOWLEDGE_LIMIT = 500;
/** Wait after a failure that is not the line's, in milliseconds. */
const RETRY_MS = 2000;

/** Something came of people who are not known and have no device list. Dropped; told once. */
export class UnknownSender extends Error {
  override readonly name = 'UnknownSender';
}

export interface InboxDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly lists: DeviceLists;
  readonly received: (outcome: ReceiveOutcome) => void;
  readonly report: (error: unknown) => void;
}

/**
 * Envelopes on their way to the vault, those of each device in the order of the queue on the server; those of a device
 * that has just sent something unreadable, or much that is costly, after all others. They live in memory only: the server
 * keeps each until it is acknowledged, which happens once the vault has it durably. What cannot be taken in yet is left
 * there, and the queue is read again for it.
 */
export class Inbox {
  readonly #deps: InboxDependencies;
  #waiting: Envelope[] = [];
  /** Envelopes that arrived live were left out: the queue has to be read again. */
  #leftOut = false;
  /** The last queue id that was fetched. */
  #drained = 0;
  #page = FIRST_PAGE;
  #acknowledge: number[] = [];
  #working: Promise<void> | null = null;
  #acknowledging = false;
  /** Until when a sending device (`addressKey`) comes after the others. Milliseconds since the Unix epoch. */
  readonly #later = new Map<string, number>();
  /** Until when nothing of a person is taken, whose list could not be had. Milliseconds since the Unix epoch. */
  readonly #held = new Map<UserId, number>();
  #dropped = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the queue is to be read again from its front, for what was left there. Milliseconds since the Unix epoch. */
  #rereadAt = Infinity;
  #rereadTimer: ReturnType<typeof setTimeout> | undefined;
  #reread = false;
  #turnDone: () => void = () => {};
  /** Ends when the queue is read by nobody. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(deps: InboxDependencies) {
    this.#deps = deps;
  }

  /**
   * Fetches the whole queue, after a connection that could not be resumed. `continues`: goes on where the line's loss has
   * stopped it; what was fetched by then is here.
   */
  drain(continues = false): Promise<void> {
    const reading = this.#reading.then(() => this.#drain(continues));
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async #drain(continues: boolean): Promise<void> {
    if (!continues) this.#drained = 0;
    for (let more = true; more;) {
      const { envelopes, more: left } = await this.#fetchPage();
      for (const envelope of envelopes) this.#take(envelope);
      const last = Math.max(this.#drained, ...envelopes.map(({ queueId }) => queueId));
      // A page that brings nothing further would come for ever.
      more = left && last > this.#drained;
      this.#drained = last;
      await this.#caughtUp();
    }
    await this.work();
  }

  /** One that arrived live. It may rest here while its sender's list cannot be had. */
  add(envelope: Envelope): void {
    this.#leftOut ||= this.#waiting.length >= LIMITS.waitingEnvelopes.value;
    if (!this.#leftOut) this.#take(envelope);
    void this.work();
  }

  /** Goes on with whatever waits; called whenever the line is back. Never rejects. */
  work(): Promise<void> {
    clearTimeout(this.#retryTimer);
    this.#working ??= this.#receiveAll()
      .catch((error: unknown) => {
        if (isLostAnswer(error)) return;
        this.#deps.report(error);
        this.#retryTimer = setTimeout(() => void this.work(), RETRY_MS);
      })
      .finally(() => {
        this.#working = null;
        const isLeft = this.#leftOut || this.#reread;
        if (isLeft && this.#waiting.length < LIMITS.waitingEnvelopes.value) void this.#refill();
      });
    void this.#sendAcknowledgements();
    return this.#working;
  }

  clear(): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#rereadTimer);
    this.#rereadAt = Infinity;
    this.#held.clear();
    this.#dropped = 0;
    this.#waiting = [];
    this.#leftOut = false;
    this.#reread = false;
    this.#acknowledge = [];
    this.#later.clear();
    this.#drained = 0;
  }

  /** Until nothing waits but what goes after others, and not too much of that: more of others may be behind it. */
  async #caughtUp(): Promise<void> {
    const working = this.work();
    const isBehind = () => this.#usual().length > 0 || this.#waiting.length >= LIMITS.waitingEnvelopes.value;
    while (this.#working !== null && isBehind()) {
      await Promise.race([working, new Promise<void>((done) => (this.#turnDone = done))]);
    }
  }

  /** Reads what was left out from the queue. What fails is tried again with the next `work`. */
  async #refill(): Promise<void> {
    if (!isLive(this.#deps.connection.state)) return;
    const before = { leftOut: this.#leftOut, reread: this.#reread };
    this.#leftOut = false;
    this.#reread = false;
    try {
      await this.drain(!before.reread);
    } catch (error) {
      this.#leftOut ||= before.leftOut;
      this.#reread ||= before.reread;
      if (isLostAnswer(error)) return;
      this.#deps.report(error);
      this.#retryTimer = setTimeout(() => void this.work(), RETRY_MS);
    }
  }

  async #fetchPage(): Promise<ResultOf<typeof wire.pending>> {
    const asked = Date.now();
    try {
      const params = { after: this.#drained, limit: this.#page };
      const page = await this.#deps.connection.request(wire.pending, params);
      if (Date.now() - asked < QUICK_MS) this.#page = Math.min(LARGEST_PAGE, this.#page * 2);
      return page;
    } catch (error) {
      // Perhaps it was too much for the line: the next one must get through.
      if (isLostAnswer(error)) this.#page = Math.max(1, Math.floor(this.#page / 4));
      throw error;
    }
  }

  #take(envelope: Envelope): void {
    const heldUntil = this.#held.get(envelope.sender.userId) ?? 0;
    if (heldUntil > Date.now()) {
      this.#readAgainAt(heldUntil);
      return;
    }
    const known = this.#waiting.some((waiting) => waiting.queueId === envelope.queueId);
    if (!known) this.#waiting.push(envelope);
  }

  async #receiveAll(): Promise<void> {
    let listsChecked: readonly UserId[] = [];
    while (this.#waiting.length > 0) {
      const envelopes = this.#next();
      const outcome = await this.#deps.vault.receive({ envelopes, listsChecked });
      const done = new Set(outcome.acknowledge);
      this.#waiting = this.#waiting.filter((envelope) => !done.has(envelope.queueId));
      this.#acknowledge.push(...outcome.acknowledge);
      for (const sender of [...outcome.refused, ...outcome.costly])
        this.#later.set(sender, Date.now() + LIMITS.senderPutBack.value);
      this.#deps.received(outcome);
      this.#turnDone();
      void this.#sendAcknowledgements();
      this.#countDropped(outcome.dropped);
      if (outcome.held.length > 0) this.#leave(outcome.held, LIMITS.strangersAgainMs.value);
      // Nothing was taken in, so asking again would bring the same.
      const isStuck = outcome.acknowledge.length === 0 && outcome.held.length === 0;
      if (isStuck && outcome.needLists === null) return;
      listsChecked = await this.#fetchLists(outcome.needLists ?? []);
    }
  }

  /** Returns whose lists were fetched: where they cannot be had, what those people sent waits on the server. */
  async #fetchLists(users: readonly UserId[]): Promise<readonly UserId[]> {
    if (users.length === 0) return [];
    try {
      await this.#deps.lists.fetch(users);
      return users;
    } catch (error) {
      if (isLostAnswer(error)) throw error;
      this.#deps.report(error);
      const until = Date.now() + LIMITS.listsAgainMs.value;
      for (const userId of users) {
        this.#held.delete(userId);
        this.#held.set(userId, until);
      }
      for (const oldest of this.#held.keys()) {
        if (this.#held.size <= LIMITS.heldSenders.value) break;
        this.#held.delete(oldest);
      }
      this.#leave(users, LIMITS.listsAgainMs.value);
      return [];
    }
  }

  /** What these people sent stays on the server; its queue is read again in so many milliseconds. */
  #leave(users: readonly UserId[], ms: number): void {
    this.#waiting = this.#waiting.filter(({ sender }) => !users.includes(sender.userId));
    this.#readAgainAt(Date.now() + ms);
  }

  #readAgainAt(at: number): void {
    if (at >= this.#rereadAt) return;
    clearTimeout(this.#rereadTimer);
    this.#rereadAt = at;
    this.#rereadTimer = setTimeout(() => {
      this.#rereadAt = Infinity;
      this.#reread = true;
      void this.work();
    }, at - Date.now());
  }

  #countDropped(count: number): void {
    if (count > 0 && this.#dropped === 0) {
      this.#deps.report(new UnknownSender('what came of people who are not known, and have no keys, was dropped'));
    }
    this.#dropped += count;
  }

  #next(): readonly Envelope[] {
    const now = Date.now();
    for (const [sender, until] of this.#later) if (until <= now) this.#later.delete(sender);
    const usual = this.#usual();
    return (usual.length > 0 ? usual : this.#waiting).slice(0, BATCH);
  }

  #usual(): readonly Envelope[] {
    return this.#waiting.filter(({ sender }) => !this.#later.has(addressKey(sender)));
  }

  /** One at a time, so that what gathers meanwhile goes together. What fails is sent again with the next. */
  async #sendAcknowledgements(): Promise<void> {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    try {
      while (this.#acknowledge.length > 0 && isLive(this.#deps.connection.state)) {
        const queueIds = this.#acknowledge.slice(0, ACKNOWLEDGE_LIMIT);
        await this.#deps.connection.request(wire.acknowledge, { queueIds });
        const sent = new Set(queueIds);
        this.#acknowledge = this.#acknowledge.filter((queueId) => !sent.has(queueId));
      }
    } catch (error) {
      if (!isLostAnswer(error)) this.#deps.report(error);
    } finally {
      this.#acknowledging = false;
    }
  }
}
