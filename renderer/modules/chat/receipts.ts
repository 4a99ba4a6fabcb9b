import type { Vault } from '../../crypto/vault.ts';
import type { Outbox } from './outbox.ts';

/** Receipts that become due within this time go together; in milliseconds. */
const GATHER_MS = 100;

/** Sends the receipts that the vault has noted as due, a little later than they became so. */
export class Receipts {
  readonly #vault: Vault;
  readonly #outbox: Outbox;
  readonly #report: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(vault: Vault, outbox: Outbox, report: (error: unknown) => void) {
    this.#vault = vault;
    this.#outbox = outbox;
    this.#report = report;
  }

  /** Something may be due. */
  schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.collect().catch(this.#report);
    }, GATHER_MS);
  }

  async collect(): Promise<void> {
    while (await this.#vault.collectReceipts());
    await this.#outbox.kick();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
