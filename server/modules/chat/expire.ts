import { setTimeout as delay } from 'node:timers/promises';
import type { UserId } from '../../../protocol/ids.ts';
import type { Store } from '../../store/store.ts';
import { ChatStore } from './store.ts';

/** Copies deleted in one transaction, and the pause after it, so that nobody waits long. Milliseconds. */
const BATCH = 500;
const PAUSE_MS = 20;

export interface Expiry {
  readonly store: Store;
  /** How long a message waits for a device. Milliseconds. */
  readonly keepMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Told whose messages are gone, once they are. */
  readonly onExpired: (users: ReadonlySet<UserId>) => void;
}

/** Deletes what has waited too long. */
export async function expireMessages({ store, keepMs, now, signal, onExpired }: Expiry): Promise<void> {
  const chatStore = new ChatStore(store.kind);
  const before = (now - keepMs) * 1000;
  while (!signal.aborted) {
    const { deleted, users } = await store.transaction((trx) => chatStore.expire(trx, before, BATCH));
    onExpired(users);
    if (deleted === 0) return;
    await delay(PAUSE_MS);
  }
}
