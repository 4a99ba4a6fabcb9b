import * as wire from '../../../protocol/devices.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { ChatChanges, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';

export interface DeviceListsDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  readonly apply: (changes: ChatChanges) => void;
}

/** Keeps the pinned device lists of others up to date; the vault verifies each. */
export class DeviceLists {
  readonly #deps: DeviceListsDependencies;

  constructor(deps: DeviceListsDependencies) {
    this.#deps = deps;
  }

  /** Fetches, verifies and pins. Who is unknown to the server has no list afterwards either. */
  async fetch(users: readonly UserId[]): Promise<void> {
    const { connection, vault, apply } = this.#deps;
    const distinct = [...new Set(users)];
    for (let start = 0; start < distinct.length; start += wire.MAX_LISTS) {
      const asked = distinct.slice(start, start + wire.MAX_LISTS);
      const { lists } = await connection.request(wire.lists, { users: asked });
      apply(await vault.updateLists({ lists, asked }));
    }
  }

  /** The server says that a list has a new version. Lists of strangers are fetched when they are needed. */
  async changed(userId: UserId, version: number): Promise<void> {
    const outdated = await this.#deps.vault.outdatedLists([{ userId, version }]);
    if (outdated.length > 0) await this.fetch(outdated);
  }
}
