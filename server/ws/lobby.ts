import { addressGroup } from '../address-group.ts';
import { Places } from '../places.ts';
import type { Connection } from './connection.ts';
import { LIMITS } from './limits.ts';

/** RFC 6455 section 7.4.1 and the IANA registry: try again later. */
const TRY_AGAIN_LATER = 1013;

/**
 * The connections without a session. Where there are too many, the oldest of a crowd goes: a client that has a session
 * says so within moments, so whoever is pushed out is one of the crowd, or somebody at the sign-in page behind the same
 * address, who connects again.
 */
export class Lobby {
  readonly #places = new Places<Connection>({
    total: LIMITS.strangers.value,
    ofGroup: () => LIMITS.strangersPerAddress.value,
  });

  get size(): number {
    return this.#places.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#places[Symbol.iterator]();
  }

  enter(connection: Connection): void {
    const lost = this.#places.enter(connection, addressGroup(connection.address));
    lost?.close(TRY_AGAIN_LATER, 'too many connections without a session');
  }

  leave(connection: Connection): void {
    this.#places.leave(connection);
  }
}
