import * as chatWire from '../../../protocol/chat.ts';
import * as devicesWire from '../../../protocol/devices.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Standing, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';

const PAGE = 100;
/** Envelopes given to the vault at once. */
const BATCH = 20;

/**
 * What own devices have sent, while this one is not let in yet. What others have sent stays in the queue: their keys can
 * be trusted only after that.
 */
export class HandOverInbox {
  readonly #connection: Connection;
  readonly #vault: Vault;
  #working = false;
  #due = false;

  constructor(connection: Connection, vault: Vault) {
    this.#connection = connection;
    this.#vault = vault;
  }

  /**
   * Takes all that has come from this account out of the queue, and says where the device stands then. Null if that is
   * being done already; what has come meanwhile is taken too.
   */
  async receive(own: UserId): Promise<Standing | null> {
    this.#due = true;
    if (this.#working) return null;
    this.#working = true;
    try {
      let standing: Standing | null = null;
      while (this.#due) {
        this.#due = false;
        await this.#drain(own);
        standing = await this.#vault.completeHandOver();
      }
      return standing;
    } finally {
      this.#working = false;
    }
  }

  async #drain(own: UserId): Promise<void> {
    let after = 0;
    for (let more = true; more;) {
      const page = await this.#connection.request(chatWire.pending, { after, limit: PAGE });
      const envelopes = page.envelopes.filter(({ sender }) => sender.userId === own);
      for (let start = 0; start < envelopes.length; start += BATCH) {
        await receive(this.#connection, this.#vault, envelopes.slice(start, start + BATCH));
      }
      const last = page.envelopes.reduce((latest, { queueId }) => Math.max(latest, queueId), after);
      // A page that brings nothing further would come for ever.
      more = page.more && last > after;
      after = last;
    }
  }
}

async function receive(connection: Connection, vault: Vault, batch: readonly chatWire.Envelope[]): Promise<void> {
  let envelopes = batch;
  let listsChecked: readonly UserId[] = [];
  while (envelopes.length > 0) {
    const outcome = await vault.receive({ envelopes, listsChecked });
    if (outcome.acknowledge.length > 0) {
      await connection.request(chatWire.acknowledge, { queueIds: [...outcome.acknowledge] });
    }
    // The vault may take in only the first part of what it is given.
    envelopes = envelopes.filter(({ queueId }) => !outcome.acknowledge.includes(queueId));
    if (outcome.needLists === null && outcome.acknowledge.length === 0) return;
    listsChecked = outcome.needLists ?? [];
    if (listsChecked.length === 0) continue;
    const { lists } = await connection.request(devicesWire.lists, { users: [...listsChecked] });
    await vault.updateLists({ lists, asked: listsChecked });
  }
}
