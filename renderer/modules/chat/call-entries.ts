import { active, ended } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId } from '../../../protocol/ids.ts';
import type { ChatChanges, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { LIMITS } from './limits.ts';

/** The calls module, where it takes part, knows better how a call ended, and says so within this time. Milliseconds. */
const GRACE_MS = 2000;

export interface CallEntriesDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly apply: (changes: ChatChanges) => void;
  readonly report: (error: unknown) => void;
}

/** Sees to it that no entry says `ongoing` of a call that is over. */
export class CallEntries {
  readonly #deps: CallEntriesDependencies;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Calls of which the calls module may still tell, and when they were heard of first. */
  readonly #fresh = new Map<CallId, number>();

  constructor(deps: CallEntriesDependencies) {
    this.#deps = deps;
    deps.connection.on(ended, ({ callId }) => this.schedule(callId));
  }

  /**
   * A call ended, or an entry of one that may be over long since has arrived. What is scheduled is not put off by what
   * comes meanwhile, or somebody who sends one entry after the other would hold back those of everybody.
   */
  schedule(callId: CallId): void {
    const isNoted = this.#fresh.has(callId) || this.#fresh.size >= LIMITS.freshCallEntries.value;
    if (!isNoted) this.#fresh.set(callId, performance.now());
    this.#timer ??= setTimeout(() => this.#settleDue(), GRACE_MS);
  }

  /** All but those that were heard of a moment ago; they have their turn next. */
  #settleDue(): void {
    this.#timer = undefined;
    for (const [callId, since] of this.#fresh) {
      // Timers may be a millisecond early.
      if (performance.now() - since >= GRACE_MS - 5) this.#fresh.delete(callId);
    }
    if (this.#fresh.size > 0) this.#timer = setTimeout(() => this.#settleDue(), GRACE_MS);
    void this.settle().catch(this.#deps.report);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#fresh.clear();
  }

  /** Whatever the server does not list as active is over, and nobody here has said that it was answered. */
  async settle(): Promise<void> {
    const { vault, apply } = this.#deps;
    let alive: ReadonlySet<CallId> | null = null;
    let after: string | null = null;
    do {
      const { calls, next } = await vault.ongoingCalls(after);
      after = next;
      const settled = calls.filter(({ callId }) => !this.#fresh.has(callId));
      if (settled.length === 0) continue;
      alive ??= await this.#alive();
      const goesOn = alive;
      const over = settled.filter(({ callId }) => !goesOn.has(callId));
      if (over.length > 0) apply(await vault.settleCalls(over));
    } while (after !== null);
  }

  async #alive(): Promise<ReadonlySet<CallId>> {
    try {
      const { calls } = await this.#deps.connection.request(active, {});
      return new Set(calls.map(({ callId }) => callId));
    } catch (error) {
      // A server that runs without calls has none.
      if (ProtocolError.is(error, 'unknown_method')) return new Set();
      throw error;
    }
  }
}
