import * as wire from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { ListChange, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer, retrying } from '../../net/retrying.ts';

/** Refusals of the very list: offered again it would be refused again. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'device_list_outdated',
  'device_list_invalid',
  'device_unknown',
  'clock_wrong',
]);

function isFinal(error: unknown): boolean {
  return error instanceof ProtocolError && FINAL.has(error.code);
}

/**
 * Brings what this device signs of the own device list to the server. One thing after the other, so that a change is
 * signed on top of the one before it, and nothing is published twice at once.
 */
export class OwnListUpkeep {
  readonly #connection: Connection;
  readonly #vault: Vault;
  readonly #report: (error: unknown) => void;
  #tail: Promise<unknown> = Promise.resolve();
  /** A look at the list that has yet to begin: another one would see the same. */
  #next: Promise<void> | null = null;
  /** Since the last `again`: a server that shows an older list is given the newest once, and not with each event. */
  #offered = false;

  constructor(connection: Connection, vault: Vault, report: (error: unknown) => void) {
    this.#connection = connection;
    this.#vault = vault;
    this.#report = report;
  }

  /** What is to be published may be offered once more. */
  again(): void {
    this.#offered = false;
  }

  /** Signs on the newest list; should another device have changed it in between, once more on the newer one. */
  change(own: UserId, sign: () => Promise<ListChange>): Promise<void> {
    return this.#inTurn(async () => {
      await retrying(this.#connection, () => this.#mend(own));
      for (let attempt = 1; ; attempt += 1) {
        const signed = await sign();
        try {
          await retrying(this.#connection, () => this.#publish(signed));
          break;
        } catch (error) {
          if (!ProtocolError.is(error, 'device_list_outdated') || attempt > 1) throw error;
          await retrying(this.#connection, () => this.#fetch(own));
        }
      }
      this.again();
      await retrying(this.#connection, () => this.#mend(own));
    });
  }

  /**
   * Fetches the own list, gives the server what it lacks, and calls `mended`. Rejects if answers were lost. What the
   * server refuses remains to be seen in `Vault.ownDevices`.
   */
  mend(own: UserId, mended: () => Promise<void>): Promise<void> {
    this.#next ??= this.#inTurn(async () => {
      this.#next = null;
      await this.#mend(own);
      await mended();
    });
    return this.#next;
  }

  async #mend(own: UserId): Promise<void> {
    await this.#fetch(own);
    if (this.#offered) return;
    const due = await this.#vault.listToPublish();
    if (due === null) return;
    this.#offered = true;
    try {
      await this.#publish(due);
    } catch (error) {
      if (isLostAnswer(error)) {
        this.#offered = false;
        throw error;
      }
      if (!isFinal(error)) this.#report(error);
    }
    await this.#fetch(own);
  }

  async #publish(change: ListChange): Promise<void> {
    try {
      await this.#connection.request(wire.publishList, change);
    } catch (error) {
      if (isFinal(error)) await this.#vault.listRefused(change);
      throw error;
    }
    await this.#vault.listPublished(change);
  }

  async #fetch(own: UserId): Promise<void> {
    const asked = [own];
    const { lists } = await this.#connection.request(wire.lists, { users: asked });
    await this.#vault.updateLists({ lists, asked });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(act);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
