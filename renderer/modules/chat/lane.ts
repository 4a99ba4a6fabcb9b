import * as wire from '../../../protocol/chat.ts';
import { SEND_WINDOW_PROTOCOL } from '../../../protocol/frames.ts';
import type { MessageId, UserId } from '../../../protocol/ids.ts';
import type { ChatChanges, SealedItem, Vault, Waiting } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLive } from '../../net/when-online.ts';
import type { Refusals } from './refusals.ts';
import type { SendWindow } from './send-window.ts';

/** Messages of one conversation that may wait for their answers. */
const WINDOW = 64;
/** Messages sealed in one operation of the vault: few enough that others get their turn. */
const SEAL_AT_ONCE = 32;
/**
 * A message written just now is marked as sent when the other side has had time to show it, or when there is more to
 * send. Milliseconds. Until then, and after a crash, it would be sent again under its id, which changes nothing.
 */
const SETTLE_MS = 60;
/** The line itself is watched; this only ends the wait for an answer that was forgotten. Milliseconds. */
const SEND_TIMEOUT_MS = 60_000;

export interface LaneDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly apply: (changes: ChatChanges) => void;
  readonly window: SendWindow;
  readonly refusals: Refusals;
  /** Room in the window was given back: other lanes may wait for it. */
  readonly onRoom: () => void;
}

/** A message that was sent. */
interface Flight {
  readonly item: SealedItem;
  readonly bytes: number;
  outcome: { readonly position: number } | { readonly error: unknown } | null;
}

/**
 * Sends one conversation's outbox, in order, with many messages under way. Each names the one before it, and the server
 * takes none whose predecessor it refused; so after a refusal everything from there on is sent again, in order.
 */
export class Lane {
  readonly #deps: LaneDependencies;
  readonly #conversation: UserId;
  /** Sealed, and not sent yet. */
  #ready: SealedItem[] = [];
  /** In the order of sending. Those that were accepted stay until that is durable. */
  #flights: Flight[] = [];
  /** Refused for a stale device list: to be sealed anew. */
  readonly #again = new Set<MessageId>();
  /** The outbox may hold something that is not here. */
  #more = true;
  /** The outbox was seen to be empty. */
  #empty = false;
  #woken = false;
  /** Something that was under way together was accepted. */
  #progress = false;
  /** Nothing is waited for beside one message that was written just now. */
  #unhurried = false;
  #wake: () => void = () => {};

  constructor(deps: LaneDependencies, conversation: UserId) {
    this.#deps = deps;
    this.#conversation = conversation;
  }

  /** Something was written since the last look into the outbox. */
  get woken(): boolean {
    return this.#woken;
  }

  /** Something was written, or the line is back. */
  wake(): void {
    this.#woken = true;
    this.#more = true;
    this.#empty = false;
    this.#unhurried = false;
    this.#wake();
  }

  /** There may be room in the window. */
  poke(): void {
    if (this.#ready.length > 0) this.#wake();
  }

  /** Runs until the outbox is empty, the line is lost, or sending must wait for something else. `written`: sealed already. */
  async run(written: SealedItem | null): Promise<void> {
    if (written !== null) {
      this.#ready.push(written);
      this.#more = false;
      this.#unhurried = true;
    }
    for (;;) {
      await this.#mark();
      if (this.#flights.some(isRefused)) {
        if (this.#flights.some(isWaiting)) await this.#change();
        else if ((await this.#recover()) === 'stop') return;
        continue;
      }
      if (!isLive(this.#deps.connection.state)) {
        // A line that was doubted may still answer; one that is lost fails everything at once.
        if (!this.#flights.some(isWaiting)) return;
        await this.#change();
        continue;
      }
      this.#launch();
      const idle = this.#ready.length === 0 && this.#flights.length === 0;
      if (idle && this.#empty) return;
      if ((idle || this.#more) && this.#room() > 0) {
        if ((await this.#seal()) === 'stop') return;
      } else if (!this.#flights.some(isSettled)) await this.#change();
    }
  }

  /** How many more messages may be sealed. An older server does not keep the order of several. */
  #room(): number {
    const { welcome } = this.#deps.connection;
    const window = welcome !== null && welcome.protocol >= SEND_WINDOW_PROTOCOL ? WINDOW : 1;
    return Math.min(SEAL_AT_ONCE, window - this.#ready.length - this.#flights.length);
  }

  async #seal(): Promise<'continue' | 'stop'> {
    const underWay = [...this.#flights.map(({ item }) => item), ...this.#ready].map(({ messageId }) => messageId);
    this.#more = false;
    this.#woken = false;
    const found = await this.#deps.vault.sealWaiting({
      conversation: this.#conversation,
      underWay,
      again: [...this.#again],
      limit: this.#room(),
    });
    for (const { messageId } of found.sealed) this.#again.delete(messageId);
    this.#ready.push(...found.sealed);
    this.#more ||= found.more || found.next !== null;
    if (found.next === null) {
      this.#empty = !this.#more && found.sealed.length === 0 && underWay.length === 0;
      return 'continue';
    }
    // What was refused meanwhile goes first.
    if (this.#flights.some(isRefused)) return 'continue';
    this.#launch();
    return await this.#provide(found.next);
  }

  /** Gets what sealing the next message lacks. */
  async #provide(lacking: NonNullable<Waiting['next']>): Promise<'continue' | 'stop'> {
    const { refusals } = this.#deps;
    try {
      await refusals.provide(lacking);
      return 'continue';
    } catch (error) {
      return await refusals.handle({ error, messageId: lacking.messageId, recipients: [] });
    }
  }

  #launch(): void {
    const { window, refusals } = this.#deps;
    if (this.#flights.length === 0) this.#progress = false;
    for (let item = this.#ready[0]; item !== undefined; item = this.#ready[0]) {
      const bytes = sizeOf(item);
      if (!window.take(bytes)) return;
      this.#ready.shift();
      const flight: Flight = { item, bytes, outcome: null };
      const previous = this.#flights.at(-1);
      this.#flights.push(flight);
      const follows = previous !== undefined && !isAccepted(previous) && previous.item.messageId !== refusals.suspect;
      void this.#send(flight, follows ? previous.item.messageId : null);
    }
  }

  async #send(flight: Flight, after: MessageId | null): Promise<void> {
    const { connection, window, onRoom } = this.#deps;
    const { params } = flight.item;
    try {
      const chained = after === null ? params : { ...params, after };
      const { position } = await connection.request(wire.send, chained, { timeoutMs: SEND_TIMEOUT_MS });
      window.answered(flight.bytes);
      flight.outcome = { position };
    } catch (error) {
      flight.outcome = { error };
    }
    window.release(flight.bytes);
    onRoom();
    this.#wake();
  }

  /** Makes durable what was accepted, all of it together. */
  async #mark(): Promise<void> {
    if (this.#flights.some(isAccepted) && this.#unhurried) await this.#change(SETTLE_MS);
    const accepted = this.#flights.filter(isAccepted);
    if (accepted.length === 0) return;
    this.#unhurried = false;
    this.#progress = true;
    const { vault, apply, refusals } = this.#deps;
    apply(await vault.sent(accepted.map(({ item, outcome }) => ({ messageId: item.messageId, ...outcome }))));
    this.#flights = this.#flights.filter((flight) => !accepted.includes(flight as (typeof accepted)[number]));
    refusals.succeeded();
  }

  /** Something was refused, and nothing is under way any more: repairs that, and begins anew after what was accepted. */
  async #recover(): Promise<'continue' | 'stop'> {
    const refused = this.#flights.filter(isRefused);
    this.#flights = [];
    this.#ready = [];
    this.#more = true;
    this.#unhurried = false;
    const { refusals, window } = this.#deps;
    const outcome = await refusals.handleAll(
      refused.map(({ item: { messageId, params }, outcome: { error } }) => ({
        error,
        messageId,
        recipients: params.recipients.map(({ userId }) => userId),
      })),
      this.#progress,
    );
    for (const messageId of outcome.again) this.#again.add(messageId);
    if (outcome.lost && !this.#progress) window.lost();
    return outcome.next;
  }

  /** Resolves when an answer came, something was written, or after `ms` milliseconds. */
  async #change(ms?: number): Promise<void> {
    await new Promise<void>((done) => {
      this.#wake = done;
      if (ms !== undefined) setTimeout(done, ms);
    });
    this.#wake = () => {};
  }
}

function isWaiting({ outcome }: Flight): boolean {
  return outcome === null;
}

function isSettled(flight: Flight): boolean {
  return !isWaiting(flight);
}

function isAccepted(flight: Flight): flight is Flight & { outcome: { readonly position: number } } {
  return flight.outcome !== null && 'position' in flight.outcome;
}

function isRefused(flight: Flight): flight is Flight & { outcome: { readonly error: unknown } } {
  return flight.outcome !== null && 'error' in flight.outcome;
}

/** About how many bytes a send is on the wire. */
function sizeOf({ params }: SealedItem): number {
  const keys = params.recipients.flatMap((recipient) => recipient.keys);
  return 300 + params.payload.length + keys.reduce((sum, { body }) => sum + body.length + 60, 0);
}
