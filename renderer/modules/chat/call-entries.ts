import { active, ended } from '../../../protocol/calls.ts';
import type { CallId } from '../../../protocol/ids.ts';
import type { ChatChanges, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';

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

  constructor(deps: CallEntriesDependencies) {
    this.#deps = deps;
    deps.connection.on(ended, () => this.schedule());
  }

  /** A call ended, or an entry of one that may be over long since has arrived. */
  schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.settle().catch(this.#deps.report), GRACE_MS);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  /** Whatever the server does not list as active is over, and nobody here has said that it was answered. */
  async settle(): Promise<void> {
    const { connection, vault, apply } = this.#deps;
    let alive: ReadonlySet<CallId> | null = null;
    let after: string | null = null;
    do {
      const { calls, next } = await vault.ongoingCalls(after);
      after = next;
      if (calls.length === 0) continue;
      alive ??= new Set((await connection.request(active, {})).calls.map(({ callId }) => callId));
      const goesOn = alive;
      const over = calls.filter(({ callId }) => !goesOn.has(callId));
      if (over.length > 0) apply(await vault.settleCalls(over));
    } while (after !== null);
  }
}
