import type { UserId } from '../../../protocol/ids.ts';

/** The row of what an account has sent and others have yet to fetch, payloads once and every key; no device has this id. */
export const SENT = 0;

export interface LedgerRow {
  readonly userId: UserId;
  /** A device, or SENT. */
  readonly deviceId: number;
  bytes: number;
  messages: number;
  expired: number;
  /** Under SENT: answers kept for repeats. */
  answers: number;
}

/** What one transaction changes about what waits; written once at its end, however many messages it moves. */
export class Ledger {
  readonly #rows = new Map<string, LedgerRow>();
  /** Bytes of payloads and keys; a payload counts once. */
  total = 0;

  add(userId: UserId, deviceId: number, bytes: number, messages: number, expired = 0, answers = 0): void {
    const key = ledgerKey(userId, deviceId);
    const row = this.#rows.get(key);
    if (row === undefined) {
      this.#rows.set(key, { userId, deviceId, bytes, messages, expired, answers });
      return;
    }
    row.bytes += bytes;
    row.messages += messages;
    row.expired += expired;
    row.answers += answers;
  }

  /** A copy goes: its key was counted to who sent it. Null: its message is not there, and was counted to nobody. */
  giveBackKey(sender: UserId | null, keyBytes: number): void {
    this.total -= keyBytes;
    if (sender !== null) this.add(sender, SENT, -keyBytes, 0);
  }

  /** By account and device: concurrent transactions lock the rows in one order, so that none waits for the other in a ring. */
  rows(): readonly LedgerRow[] {
    return [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}

export function ledgerKey(userId: UserId, deviceId: number): string {
  return `${userId}/${deviceId}`;
}
