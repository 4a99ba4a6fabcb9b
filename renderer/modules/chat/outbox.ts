import type { ErrorCode } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { ChatChanges, SealedItem, Vault } from '../../crypto/vault.ts';
import { OfflineError } from '../../net/connection.ts';
import type { Connection } from '../../net/connection.ts';
import { isLive } from '../../net/when-online.ts';
import type { DeviceLists } from './device-lists.ts';
import { Lane } from './lane.ts';
import { Refusals } from './refusals.ts';
import { SendWindow } from './send-window.ts';

export interface OutboxDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly lists: DeviceLists;
  readonly apply: (changes: ChatChanges) => void;
  /** Why the server takes nothing of a conversation for now; null when that is over. */
  readonly heldBack?: (conversation: UserId, reason: ErrorCode | null) => void;
  readonly report: (error: unknown) => void;
  readonly random?: () => number;
  /** Resolves after so many milliseconds; tests shorten it. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Sends what the vault's outbox holds: conversations side by side, each in its order. */
export class Outbox {
  readonly #deps: OutboxDependencies;
  readonly #running = new Map<UserId, Lane>();
  readonly #window = new SendWindow();

  constructor(deps: OutboxDependencies) {
    this.#deps = deps;
  }

  /** Starts a lane for everything that waits. Called when something was written and when the line is back. */
  async kick(): Promise<void> {
    if (!isLive(this.#deps.connection.state)) return;
    for (const conversation of await this.#deps.vault.outbox()) this.wake(conversation);
  }

  /** Makes sure that this conversation's lane runs. `sealed`: what it begins with, if it does not run yet. */
  wake(conversation: UserId, sealed: SealedItem | null = null): void {
    const running = this.#running.get(conversation);
    if (running !== undefined) {
      running.wake();
      return;
    }
    const lane = this.#newLane(conversation);
    this.#running.set(conversation, lane);
    void lane
      .run(sealed)
      .catch((error: unknown) => {
        if (!(error instanceof OfflineError)) this.#deps.report(error);
      })
      .finally(() => {
        this.#running.delete(conversation);
        this.#deps.heldBack?.(conversation, null);
        // Something was written between the lane's last look and its end, or the line came back meanwhile.
        if (lane.woken && isLive(this.#deps.connection.state)) this.wake(conversation);
      });
  }

  #newLane(conversation: UserId): Lane {
    const { connection, vault, apply, heldBack } = this.#deps;
    const refusals = new Refusals({ ...this.#deps, heldBack: (reason) => heldBack?.(conversation, reason) });
    const onRoom = () => {
      for (const lane of this.#running.values()) lane.poke();
    };
    return new Lane({ connection, vault, apply, window: this.#window, refusals, onRoom }, conversation);
  }
}
