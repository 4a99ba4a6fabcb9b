import type { Connection } from './connection.ts';
import { LIMITS } from './limits.ts';
import { addressGroup } from './rate-limits.ts';

/** RFC 6455 section 7.4.1 and the IANA registry: try again later. */
const TRY_AGAIN_LATER = 1013;

/**
 * The connections without a session. Where there are too many, the oldest goes: a client that has a session says so
 * within moments, so whoever is pushed out by a crowd is one of the crowd, or somebody at the sign-in page, who
 * connects again.
 */
export class Lobby {
  /** Oldest first. */
  readonly #all = new Set<Connection>();
  readonly #byAddress = new Map<string, Set<Connection>>();

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all.values();
  }

  enter(connection: Connection): void {
    if (this.#all.has(connection)) return;
    const group = addressGroup(connection.address);
    const ofGroup = this.#byAddress.get(group) ?? new Set<Connection>();
    this.#byAddress.set(group, ofGroup.add(connection));
    this.#all.add(connection);
    if (ofGroup.size > LIMITS.strangersPerAddress.value) this.#turnAway(ofGroup);
    if (this.#all.size > LIMITS.strangers.value) this.#turnAway(this.#all);
  }

  leave(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const group = addressGroup(connection.address);
    const ofGroup = this.#byAddress.get(group);
    ofGroup?.delete(connection);
    if (ofGroup?.size === 0) this.#byAddress.delete(group);
  }

  #turnAway(connections: Iterable<Connection>): void {
    for (const oldest of connections) {
      this.leave(oldest);
      oldest.close(TRY_AGAIN_LATER, 'too many connections without a session');
      return;
    }
  }
}
