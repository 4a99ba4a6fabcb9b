import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../store/store.ts';
import { ChatStore } from './store.ts';

/** Copies deleted in one transaction, and the pause after it, so that nobody waits long. Milliseconds. */
const BATCH = 500;
const PAUSE_MS = 20;

/** Deletes what has waited for longer than `keepMs`. Ends early when `signal` is aborted. */
export async function expireMessages(store: Store, keepMs: number, now: number, signal: AbortSignal): Promise<void> {
  const chatStore = new ChatStore(store.kind);
  const before = (now - keepMs) * 1000;
  while (!signal.aborted) {
    const deleted = await store.transaction((trx) => chatStore.expire(trx, before, BATCH));
    if (deleted === 0) return;
    await delay(PAUSE_MS);
  }
}
