import { takeBundles } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import { IdempotencyId } from '../../../protocol/ids.ts';
import type { DeviceAddress, DeviceId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { ChatChanges, Unsealable, Vault } from '../../crypto/vault.ts';
import { backoffMs } from '../../net/backoff.ts';
import { OfflineError, TimeoutError } from '../../net/connection.ts';
import type { Connection } from '../../net/connection.ts';
import type { DeviceLists } from './device-lists.ts';

/** After so many repairs in a row that did not help, the person decides. */
const MAX_ATTEMPTS = 8;
const REPAIRED: ReadonlySet<ErrorCode> = new Set(['devices_stale', 'send_out_of_order']);
/**
 * The server takes nothing for now: it has no room, enough from this account, no database, or a fault of its own. It takes
 * the message later, however often it must be asked, and whatever is behind it waits too.
 */
const HOLDING: ReadonlySet<ErrorCode> = new Set([
  'storage_full',
  'quota_sender',
  'rate_limited',
  'unavailable',
  'internal',
]);
/** Those that are mostly over before anybody could read about them, and how often in a row it takes to say so. */
const BRIEF: ReadonlySet<ErrorCode> = new Set(['rate_limited', 'unavailable', 'internal']);
const SAID_AFTER = 3;
/** What takes longer is said at once. Milliseconds. */
const BRIEF_MS = 5000;
/**
 * A server may fail at one message for ever, by a fault of its own that this message wakes. After so many `internal` in a
 * row the one behind it is sent beside it, and not after it: if the server takes that one in the same breath, it is not
 * the server's state but this message.
 */
const SUSPECT_AFTER = 8;
/** However long the server asks to wait, for it may have room earlier, and timers have an end. Milliseconds. */
const LONGEST_WAIT_MS = 300_000;
/** The session is the trouble, not the message: it waits for the next one. */
const SESSION: ReadonlySet<ErrorCode> = new Set([
  'not_signed_in',
  'session_invalid',
  'device_required',
  'hello_required',
]);

export interface RefusalsDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly lists: DeviceLists;
  readonly apply: (changes: ChatChanges) => void;
  /** The server takes nothing for now, and says why; null once it does, or once nothing waits for that. */
  readonly heldBack?: (reason: ErrorCode | null) => void;
  readonly random?: () => number;
  /** Resolves after so many milliseconds; tests shorten it. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** A send that was not accepted, or nobody knows. */
export interface Refused {
  readonly error: unknown;
  readonly messageId: MessageId;
  readonly recipients: readonly UserId[];
}

export type Next = 'continue' | 'stop';

/** What one conversation does about sends that were not accepted. Counts failures in a row. */
export class Refusals {
  readonly #deps: RefusalsDependencies;
  #failures = 0;
  /** How often in a row the server took nothing for a reason that is not the message's; that gives nothing up. */
  #held = 0;
  /** The message at which the server fails, and how often in a row. */
  #failing: { readonly messageId: MessageId; readonly times: number } | null = null;

  constructor(deps: RefusalsDependencies) {
    this.#deps = deps;
  }

  /** The message that the server may fail at for ever: what is behind it is not made to wait for it. */
  get suspect(): MessageId | null {
    return this.#failing !== null && this.#failing.times >= SUSPECT_AFTER ? this.#failing.messageId : null;
  }

  /** Something was accepted. */
  succeeded(): void {
    this.#failures = 0;
    this.#goesOn();
  }

  /** Gets what sealing lacks. Repairs are no failures, but one that never helps must not run for ever. */
  async provide(lacking: Unsealable): Promise<void> {
    const { vault, lists, apply } = this.#deps;
    if (lacking.kind === 'refused') {
      apply(await vault.sendFailed(lacking.messageId));
      return;
    }
    if (lacking.kind === 'need-lists') await lists.fetch(lacking.users);
    else await this.#takeBundles(lacking.devices);
    this.#failures += 1;
    if (this.#failures >= MAX_ATTEMPTS) await this.#giveUp(lacking.messageId, 'devices_stale');
  }

  /**
   * Handles the sends of one window, oldest first: the cause of it all, which the others only followed.
   * `progress`: something that was under way with them was accepted. `again`: those to be sealed anew. `lost`: the line
   * was lost under them.
   */
  async handleAll(
    refused: readonly Refused[],
    progress = false,
  ): Promise<{ readonly next: Next; readonly again: readonly MessageId[]; readonly lost: boolean }> {
    const again = refused.filter(({ error }) => ProtocolError.is(error, 'devices_stale'));
    const lost = refused.some(({ error }) => error instanceof OfflineError || error instanceof TimeoutError);
    const cause = refused.find(({ error }) => !ProtocolError.is(error, 'send_out_of_order')) ?? refused[0];
    const next = cause === undefined ? 'continue' : await this.#handleCause(cause, progress);
    return { next, again: again.map(({ messageId }) => messageId), lost };
  }

  async #handleCause(cause: Refused, progress: boolean): Promise<Next> {
    const fails = ProtocolError.is(cause.error, 'internal');
    if (fails && progress && cause.messageId === this.suspect) {
      await this.#giveUp(cause.messageId, 'internal');
      return 'continue';
    }
    const times = fails && cause.messageId === this.#failing?.messageId ? this.#failing.times + 1 : 1;
    this.#failing = fails ? { messageId: cause.messageId, times } : null;
    return this.handle(cause);
  }

  /** Handles one, and waits where waiting may help. */
  async handle({ error, messageId, recipients }: Refused): Promise<Next> {
    if (error instanceof OfflineError) return 'stop';
    if (error instanceof TimeoutError) {
      // Nobody knows whether it was accepted; the very same bytes under the same id find out.
      this.#holds('unavailable', false);
      return 'continue';
    }
    if (!(error instanceof ProtocolError)) throw error;
    if (SESSION.has(error.code)) return 'stop';
    if (HOLDING.has(error.code)) return this.#hold(error, error.code);
    if (!REPAIRED.has(error.code)) {
      await this.#giveUp(messageId, error.code);
      return 'continue';
    }
    return this.#repair(error, messageId, recipients);
  }

  async #repair(error: ProtocolError, messageId: MessageId, recipients: readonly UserId[]): Promise<Next> {
    const stale = ProtocolError.is(error, 'devices_stale') ? error : null;
    const isHeld = stale !== null && (await this.#lacksRemoved(stale));
    try {
      if (stale !== null) await this.#fetchLists(stale, recipients);
    } catch (refusal) {
      // What was asked to mend it was refused as the message may be, or the line was lost. A question for lists is for no
      // devices: whoever says so of it would be asked again at once, without end.
      const isAbsurd = ProtocolError.is(refusal, 'devices_stale');
      const error = isAbsurd
        ? new ProtocolError('internal', 'a question for device lists was refused as stale')
        : refusal;
      return this.handle({ error, messageId, recipients: [] });
    }
    if (isHeld) return this.#hold(error, 'device_list_unpublished');
    this.#failures += 1;
    if (this.#failures >= MAX_ATTEMPTS) await this.#giveUp(messageId, error.code);
    else if (stale === null || this.#failures > 1) await this.#wait(error, this.#failures);
    return 'continue';
  }

  async #hold(error: ProtocolError, reason: ErrorCode): Promise<Next> {
    this.#holds(reason, retryAfter(error) < BRIEF_MS);
    await this.#wait(error, this.#held);
    return 'continue';
  }

  #holds(reason: ErrorCode, briefly: boolean): void {
    this.#held += 1;
    if (!briefly || !BRIEF.has(reason) || this.#held >= SAID_AFTER) this.#deps.heldBack?.(reason);
  }

  #goesOn(): void {
    if (this.#held > 0) this.#deps.heldBack?.(null);
    this.#held = 0;
  }

  /** Whether the server asks for copies to a device that the person has removed, since it has not taken the list yet. */
  async #lacksRemoved(error: ProtocolError<'devices_stale'>): Promise<boolean> {
    const { removed, unpublished } = await this.#deps.vault.ownDevices();
    return unpublished && error.details.missing.some(({ deviceId }) => removed.includes(deviceId as DeviceId));
  }

  async #giveUp(messageId: MessageId, failure: ErrorCode): Promise<void> {
    this.#deps.apply(await this.#deps.vault.sendFailed(messageId, failure));
    this.#failures = 0;
    this.#failing = null;
    this.#goesOn();
  }

  async #takeBundles(devices: readonly DeviceAddress[]): Promise<void> {
    const { connection, vault, lists } = this.#deps;
    const idempotencyId = IdempotencyId.parse(crypto.randomUUID());
    const { bundles } = await connection.request(takeBundles, { devices: [...devices], idempotencyId });
    await vault.startSessions(bundles);
    // A device without a bundle is gone: its account's list says so.
    if (bundles.length < devices.length) await lists.fetch(devices.map(({ userId }) => userId));
  }

  async #fetchLists(error: ProtocolError<'devices_stale'>, recipients: readonly UserId[]): Promise<void> {
    const { missing, gone } = error.details;
    const named = [...missing, ...gone].map(({ userId }) => userId as UserId);
    await this.#deps.lists.fetch([...named, ...recipients]);
  }

  /** @param times how often in a row it has come to that */
  async #wait(error: ProtocolError, times: number): Promise<void> {
    const wait = Math.max(
      Math.min(retryAfter(error), LONGEST_WAIT_MS),
      backoffMs(times, this.#deps.random ?? Math.random),
    );
    await (this.#deps.pause ?? pause)(wait);
  }
}

/** How long the server asks to wait. Milliseconds. */
function retryAfter({ details }: ProtocolError): number {
  const { retryAfterMs = 0 } = (details ?? {}) as { readonly retryAfterMs?: number };
  return retryAfterMs;
}

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
