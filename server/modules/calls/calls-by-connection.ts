import type { LiveCall } from './call.ts';

interface Held {
  readonly call: LiveCall;
  /** Joins by this connection that are under way. */
  joining: number;
}

/** In which calls each connection has a seat, or is about to get one: a connection that closes costs nothing elsewhere. */
export class CallsByConnection {
  readonly #held = new Map<string, Map<LiveCall, Held>>();
  readonly #release: (call: LiveCall, connectionId: string) => void;

  /** @param release frees what a connection holds in a call */
  constructor(release: (call: LiveCall, connectionId: string) => void) {
    this.#release = release;
  }

  /** Connections that hold something. */
  get size(): number {
    return this.#held.size;
  }

  /** Runs a join. If the connection closes meanwhile, what it got is released when it is done. */
  async joining<T>(call: LiveCall, connectionId: string, join: () => Promise<T>): Promise<T> {
    const calls = this.#callsOf(connectionId);
    const held = calls.get(call) ?? { call, joining: 0 };
    calls.set(call, held);
    held.joining += 1;
    try {
      return await join();
    } finally {
      held.joining -= 1;
      if (this.#held.get(connectionId) === calls) this.#prune(connectionId, calls);
      else if (held.joining === 0) this.#release(call, connectionId);
    }
  }

  closed(connectionId: string): void {
    const calls = this.#held.get(connectionId);
    if (calls === undefined) return;
    this.#held.delete(connectionId);
    for (const { call } of calls.values()) this.#release(call, connectionId);
  }

  #callsOf(connectionId: string): Map<LiveCall, Held> {
    const known = this.#held.get(connectionId);
    if (known !== undefined) return known;
    const calls = new Map<LiveCall, Held>();
    this.#held.set(connectionId, calls);
    return calls;
  }

  /** Forgets the calls that it has left, so that there are never many more than an account may be in. */
  #prune(connectionId: string, calls: Map<LiveCall, Held>): void {
    for (const { call, joining } of calls.values()) {
      if (joining === 0 && !call.holds(connectionId)) calls.delete(call);
    }
    if (calls.size === 0) this.#held.delete(connectionId);
  }
}
