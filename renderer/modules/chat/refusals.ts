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

/** After so many failures in a row that may pass, the person decides. */
const MAX_ATTEMPTS = 8;
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'rate_limited',
  'unavailable',
  'internal',
  'devices_stale',
  'send_out_of_order',
]);
/**
 * The server has no room now, or enough from this account for the moment: it takes the message later, however often it
 * must be asked.
 */
const NO_ROOM: ReadonlySet<ErrorCode> = new Set(['storage_full', 'quota_sender']);
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

  constructor(deps: RefusalsDependencies) {
    this.#deps = deps;
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
   * `again`: those to be sealed anew. `lost`: the line was lost under them.
   */
  async handleAll(
    refused: readonly Refused[],
  ): Promise<{ readonly next: Next; readonly again: readonly MessageId[]; readonly lost: boolean }> {
    const again = refused.filter(({ error }) => ProtocolError.is(error, 'devices_stale'));
    const lost = refused.some(({ error }) => error instanceof OfflineError || error instanceof TimeoutError);
    const cause = refused.find(({ error }) => !ProtocolError.is(error, 'send_out_of_order')) ?? refused[0];
    const next = cause === undefined ? 'continue' : await this.handle(cause);
    return { next, again: again.map(({ messageId }) => messageId), lost };
  }

  /** Handles one, and waits where waiting may help. */
  async handle({ error, messageId, recipients }: Refused): Promise<Next> {
    if (error instanceof OfflineError) return 'stop';
    // Nobody knows whether it was accepted; the very same bytes under the same id find out.
    if (error instanceof TimeoutError) return 'continue';
    if (!(error instanceof ProtocolError)) throw error;
    if (SESSION.has(error.code)) return 'stop';
    if (NO_ROOM.has(error.code)) return this.#hold(error, error.code);
    const stale = ProtocolError.is(error, 'devices_stale') ? error : null;
    const isHeld = stale !== null && (await this.#lacksRemoved(stale));
    if (!isHeld) this.#failures += 1;
    if (!PASSING.has(error.code) || this.#failures >= MAX_ATTEMPTS) {
      await this.#giveUp(messageId, error.code);
      return 'continue';
    }
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
    if (stale === null || this.#failures > 1) await this.#wait(error, this.#failures);
    return 'continue';
  }

  async #hold(error: ProtocolError, reason: ErrorCode): Promise<Next> {
    this.#deps.heldBack?.(reason);
    await this.#wait(error, (this.#held += 1));
    return 'continue';
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
    const { retryAfterMs = 0 } = (error.details ?? {}) as { readonly retryAfterMs?: number };
    const wait = Math.max(Math.min(retryAfterMs, LONGEST_WAIT_MS), backoffMs(times, this.#deps.random ?? Math.random));
    await (this.#deps.pause ?? pause)(wait);
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
