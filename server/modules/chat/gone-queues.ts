import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import type { Database } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { SENT } from './ledger.ts';
import { ChatStore } from './store.ts';

/** Between two steps, so that nobody waits long. Milliseconds. */
const PAUSE_MS = 20;
/** Queues looked for at once. */
const PAGE = 100;

/** Neither the owner of a lost device nor an administrator pays for what others have sent there. */
const NOBODY = { work: () => undefined };

/**
 * Empties the queues of devices that are on no list any more, in many short transactions: a device leaves its list in one,
 * however much waits for it. What a crash leaves is found when the server starts. Several may do it at once.
 */
export async function emptyGoneQueues(store: Store, signal: AbortSignal): Promise<void> {
  const chatStore = new ChatStore(store.kind);
  return store.onBehalfOf(NOBODY, async () => {
    for (;;) {
      const gone = await findGone(store.db);
      for (const device of gone) {
        for (let empty = false; !empty;) {
          if (signal.aborted) return;
          empty = await store.transaction((trx) => chatStore.emptySome(trx, device));
          await delay(PAUSE_MS);
        }
      }
      if (gone.length < PAGE) return;
    }
  });
}

function findGone(db: Database) {
  return db
    .selectFrom('queueUse')
    .leftJoin('devices', (join) =>
      join.onRef('devices.userId', '=', 'queueUse.userId').onRef('devices.deviceId', '=', 'queueUse.deviceId'),
    )
    .select(['queueUse.userId', 'queueUse.deviceId'])
    .where('queueUse.deviceId', '!=', SENT)
    .where('devices.deviceId', 'is', null)
    .limit(PAGE)
    .execute();
}

/** Does so in the background, whenever devices have left their lists. */
export class GoneQueues {
  readonly #store: Store;
  readonly #log: Log;
  readonly #ending = new AbortController();
  #working: Promise<void> | null = null;
  #again = false;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  wake(): void {
    if (this.#ending.signal.aborted) return;
    if (this.#working) this.#again = true;
    else this.#working = this.#work();
  }

  /** Ends it early; the next start goes on. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    do {
      this.#again = false;
      try {
        await emptyGoneQueues(this.#store, this.#ending.signal);
      } catch (error) {
        this.#log.error(
          { err: error },
          'emptying the queues of removed devices failed; it is tried again within a day',
        );
      }
    } while (this.#again);
    this.#working = null;
  }
}
