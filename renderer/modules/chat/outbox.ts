import * as wire from '../../../protocol/chat.ts';
import { takeBundles } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import { IdempotencyId } from '../../../protocol/ids.ts';
import type { DeviceAddress, MessageId, UserId } from '../../../protocol/ids.ts';
import type { ChatChanges, SealOutcome, Vault } from '../../crypto/vault.ts';
import { backoffMs } from '../../net/backoff.ts';
import { OfflineError, TimeoutError } from '../../net/connection.ts';
import type { Connection } from '../../net/connection.ts';
import { isLive } from '../../net/when-online.ts';
import type { DeviceLists } from './device-lists.ts';

/** After so many failures in a row of one item that may pass, the person decides. */
const MAX_ATTEMPTS = 8;
/**
 * A message written just now is marked as sent when the other side has had time to show it, or when there is more to
 * send. Milliseconds. Until then, and after a crash, it would be sent again under its id, which changes nothing.
 */
const SETTLE_MS = 60;
const PASSING: ReadonlySet<ErrorCode> = new Set(['rate_limited', 'unavailable', 'internal', 'devices_stale']);
/** The session is the trouble, not the message: it waits for the next one. */
const SESSION: ReadonlySet<ErrorCode> = new Set([
  'not_signed_in',
  'session_invalid',
  'device_required',
  'hello_required',
]);

export interface OutboxDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly lists: DeviceLists;
  readonly apply: (changes: ChatChanges) => void;
  readonly report: (error: unknown) => void;
  readonly random?: () => number;
}

/** What goes on in one conversation's lane. */
interface Lane {
  /** Failures in a row of the item at its head. */
  failures: number;
  /** The next sealing replaces one that was refused. */
  again: boolean;
  /** Something was written since the last look into the outbox; `wake` says so at once. */
  woken: boolean;
  wake: () => void;
}

type Next = 'continue' | 'stop';
type Item = Exclude<SealOutcome, { kind: 'idle' }>;

/**
 * Sends what the vault's outbox holds: conversations side by side, each strictly one after the other, since a message
 * that overtakes a refused one would change the order.
 */
export class Outbox {
  readonly #deps: OutboxDependencies;
  readonly #running = new Map<UserId, Lane>();

  constructor(deps: OutboxDependencies) {
    this.#deps = deps;
  }

  /** Starts a lane for everything that waits. Called when something was written and when the line is back. */
  async kick(): Promise<void> {
    if (!isLive(this.#deps.connection.state)) return;
    for (const conversation of await this.#deps.vault.outbox()) this.wake(conversation);
  }

  /** Makes sure that this conversation's lane runs. `sealed`: what it begins with, if it does not run yet. */
  wake(conversation: UserId, sealed: Item | null = null): void {
    const running = this.#running.get(conversation);
    if (running !== undefined) {
      running.woken = true;
      running.wake();
      return;
    }
    const lane: Lane = { failures: 0, again: false, woken: false, wake: () => {} };
    this.#running.set(conversation, lane);
    void this.#run(conversation, lane, sealed)
      .catch((error: unknown) => {
        if (!(error instanceof OfflineError)) this.#deps.report(error);
      })
      .finally(() => {
        this.#running.delete(conversation);
        // Something was written between the lane's last look and its end.
        if (lane.woken && isLive(this.#deps.connection.state)) this.wake(conversation);
      });
  }

  async #run(conversation: UserId, lane: Lane, sealed: Item | null): Promise<void> {
    let atHand = sealed;
    let next: Next = 'continue';
    while (next === 'continue' && isLive(this.#deps.connection.state)) {
      const outcome = atHand ?? (await this.#deps.vault.sealNext({ conversation, again: lane.again }));
      atHand = null;
      if (outcome.kind === 'idle') return;
      try {
        next = await this.#step(outcome, lane, outcome === sealed);
      } catch (error) {
        next = await this.#failed(error, outcome, lane);
      }
    }
  }

  async #step(outcome: Item, lane: Lane, isNew: boolean): Promise<Next> {
    const { connection, vault, lists, apply } = this.#deps;
    if (outcome.kind === 'refused') {
      apply(await vault.sendFailed(outcome.messageId));
    } else if (outcome.kind === 'need-lists') {
      await lists.fetch(outcome.users);
      await this.#countRepair(outcome.messageId, lane);
    } else if (outcome.kind === 'need-bundles') {
      await this.#takeBundles(outcome.devices);
      await this.#countRepair(outcome.messageId, lane);
    } else {
      lane.again = false;
      const { position } = await connection.request(wire.send, outcome.params);
      if (isNew) await settle(lane);
      apply(await vault.sent({ messageId: outcome.messageId, position }));
      lane.failures = 0;
    }
    return 'continue';
  }

  /** Repairs are no failures, but one that never helps must not run for ever. */
  async #countRepair(messageId: MessageId, lane: Lane): Promise<void> {
    lane.failures += 1;
    if (lane.failures < MAX_ATTEMPTS) return;
    this.#deps.apply(await this.#deps.vault.sendFailed(messageId));
    lane.failures = 0;
  }

  async #takeBundles(devices: readonly DeviceAddress[]): Promise<void> {
    const { connection, vault, lists } = this.#deps;
    const idempotencyId = IdempotencyId.parse(crypto.randomUUID());
    const { bundles } = await connection.request(takeBundles, { devices: [...devices], idempotencyId });
    await vault.startSessions(bundles);
    // A device without a bundle is gone: its account's list says so.
    if (bundles.length < devices.length) await lists.fetch(devices.map(({ userId }) => userId));
  }

  async #failed(error: unknown, item: Item, lane: Lane): Promise<Next> {
    if (error instanceof OfflineError) return 'stop';
    // Nobody knows whether it was accepted; the very same bytes under the same id find out.
    if (error instanceof TimeoutError) return 'continue';
    if (!(error instanceof ProtocolError)) throw error;
    if (SESSION.has(error.code)) return 'stop';
    lane.failures += 1;
    if (!PASSING.has(error.code) || lane.failures >= MAX_ATTEMPTS) {
      this.#deps.apply(await this.#deps.vault.sendFailed(item.messageId));
      lane.failures = 0;
      lane.again = false;
      return 'continue';
    }
    await this.#repair(error, item, lane);
    return 'continue';
  }

  async #repair(error: ProtocolError, item: Item, lane: Lane): Promise<void> {
    if (ProtocolError.is(error, 'devices_stale')) {
      lane.again = true;
      const { missing, gone } = error.details;
      const named = [...missing, ...gone].map(({ userId }) => userId as UserId);
      const recipients = item.kind === 'sealed' ? item.params.recipients.map(({ userId }) => userId) : [];
      await this.#deps.lists.fetch([...named, ...recipients]);
      if (lane.failures === 1) return;
    }
    const asked = ProtocolError.is(error, 'rate_limited') ? error.details.retryAfterMs : 0;
    const wait = Math.max(asked, backoffMs(lane.failures, this.#deps.random ?? Math.random));
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function settle(lane: Lane): Promise<void> {
  if (lane.woken) return;
  await new Promise<void>((done) => {
    lane.wake = done;
    setTimeout(done, SETTLE_MS);
  });
}
