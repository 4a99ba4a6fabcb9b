import * as wire from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';
import { LIMITS } from './limits.ts';

/** Keeps enough one-time prekeys on the server, however often it says that they run low. */
export class PrekeyUpkeep {
  readonly #connection: Connection;
  readonly #vault: Vault;
  readonly #report: (error: unknown) => void;
  #working: Promise<void> | null = null;
  #lastAt = -Infinity;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection, vault: Vault, report: (error: unknown) => void) {
    this.#report = report;
    this.#connection = connection;
    this.#vault = vault;
  }

  /** The server says how many it has. */
  async check(remaining: number): Promise<void> {
    if (this.#later !== undefined) return;
    const wait = this.#lastAt + LIMITS.prekeyCheckPause.value - performance.now();
    if (this.#working === null && wait <= 0) await this.#run(remaining);
    // What is true by then is asked for then.
    else this.#later = setTimeout(() => void this.#again(), Math.max(wait, 0));
  }

  clear(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#lastAt = -Infinity;
  }

  async #again(): Promise<void> {
    this.#later = undefined;
    try {
      const { remaining } = await this.#connection.request(wire.prekeyStatus, {});
      await this.check(remaining);
    } catch (error) {
      // The next resynchronisation asks again.
      if (!isLostAnswer(error)) this.#report(error);
    }
  }

  async #run(remaining: number): Promise<void> {
    this.#lastAt = performance.now();
    this.#working = this.#publish(remaining).finally(() => (this.#working = null));
    await this.#working;
  }

  async #publish(remaining: number): Promise<void> {
    const publication = await this.#vault.prekeysToPublish(remaining);
    if (publication === null) return;
    try {
      await this.#connection.request(wire.publishPrekeys, publication);
      await this.#vault.prekeysPublished(publication);
    } catch (error) {
      // Offered again they would be refused again.
      if (ProtocolError.is(error, 'prekey_invalid')) await this.#vault.prekeysRefused(publication);
      throw error;
    }
  }
}
