import type { Vault } from '../crypto/vault.ts';

/** Whether this device can store anything just now, made reactive. */
export class StorageWatch {
  failing = $state.raw(false);
  readonly #vault: Vault;
  readonly #restored: () => void;
  #round = 0;

  /** `restored`: there is room again, and what was stopped can go on. */
  constructor(vault: Vault, restored: () => void) {
    this.#vault = vault;
    this.#restored = restored;
  }

  /** Watches the vault that runs now, until the next one is started or this one ends. */
  async watch(): Promise<void> {
    const round = (this.#round += 1);
    this.failing = false;
    for (;;) {
      const failing = await this.#vault.storageChange(this.failing);
      if (round !== this.#round) return;
      this.failing = failing;
      if (!failing) this.#restored();
    }
  }
}
