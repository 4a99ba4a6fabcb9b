import type { Recipient } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceAddress, UserId } from '../../../protocol/ids.ts';
import { ANSWERS_RETRY_MS } from '../../store/answer-use.ts';
import { ledgerKey, SENT, type LedgerRow } from './ledger.ts';
import type { LIMITS } from './limits.ts';

/** Of the limits those that say how work is cut up, and not how much there may be. */
type Portion = `batch${string}` | `deleted${string}` | `announced${string}`;

/** How much may wait. The defaults are in `limits.ts`, the organisation's total in the settings. */
export type Quotas = { readonly [name in Exclude<keyof typeof LIMITS, Portion>]: number } & {
  readonly totalBytes: number;
  /** Of the store's limits. */
  readonly keptAnswers: number;
};

/** When a sender whose messages nobody fetches is to try again. Milliseconds. */
const WAITING_RETRY_MS = 60_000;

/** What waits, or what is kept, on one row of the ledger. */
interface Use {
  bytes: number;
  messages: number;
  answers: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Whether there is room for messages, with those counted that were let in before in the same transaction. */
export class Room {
  readonly #use: Map<string, Use>;
  readonly #quotas: Quotas;
  #total: number;

  /** `use`: what waits for the devices concerned and from the senders; `total`: for all together. */
  constructor(use: readonly LedgerRow[], total: number, quotas: Quotas) {
    this.#use = new Map(
      use.map(({ userId, deviceId, bytes, messages, answers }) => [
        ledgerKey(userId, deviceId),
        { bytes, messages, answers },
      ]),
    );
    this.#total = total;
    this.#quotas = quotas;
  }

  /**
   * Takes room for a message. Returns the devices (as `ledgerKey`) that get no copy: their queue is full, and another
   * device of the same account has room. A sender's own device never keeps a message back. Throws `storage_full`,
   * `quota_sender`, or `queue_full` where an account would get no copy at all.
   */
  take(sender: DeviceAddress, payload: string, recipients: readonly Recipient[]): ReadonlySet<string> {
    const bytes = decodedBytes(payload);
    const { skipped, full, keyBytes } = this.#sort(sender, bytes, recipients);
    const sent = this.#useOf(ledgerKey(sender.userId, SENT));
    this.#check(sent, bytes + keyBytes);
    if (full.length > 0) throw new ProtocolError('queue_full', 'No device of a recipient has room.', { users: full });
    sent.answers += 1;
    let copies = 0;
    for (const { userId, keys } of recipients) {
      for (const { deviceId, body } of keys) {
        const key = ledgerKey(userId, deviceId);
        if (skipped.has(key)) continue;
        const use = this.#useOf(key);
        use.bytes += bytes + decodedBytes(body);
        use.messages += 1;
        copies += 1;
      }
    }
    if (copies === 0) return skipped;
    sent.bytes += bytes + keyBytes;
    sent.messages += 1;
    this.#total += bytes + keyBytes;
    return skipped;
  }

  /** `bytes`: of the payload once and of every key. */
  #check(sent: Readonly<Use>, bytes: number): void {
    const quotas = this.#quotas;
    if (this.#total + bytes > quotas.totalBytes)
      throw new ProtocolError('storage_full', 'As much waits to be fetched as the organisation lets wait.');
    const most = Math.min(quotas.senderWaitingBytes, quotas.totalBytes * quotas.senderShare);
    // A lone message always fits: where the total is set small, one above the share would be refused for ever.
    if ((sent.messages > 0 && sent.bytes + bytes > most) || sent.messages >= quotas.senderWaitingMessages) {
      throw new ProtocolError('quota_sender', 'Too much of what you sent was not fetched yet.', {
        retryAfterMs: WAITING_RETRY_MS,
      });
    }
    if (sent.answers >= quotas.keptAnswers) {
      throw new ProtocolError('quota_sender', 'You have sent as much as the server keeps answers for repeats of.', {
        retryAfterMs: ANSWERS_RETRY_MS,
      });
    }
  }

  /** Which devices get no copy, which accounts would get none at all, and the bytes of the keys of the others. */
  #sort(sender: DeviceAddress, bytes: number, recipients: readonly Recipient[]) {
    let skipped: Set<string> | null = null;
    let keyBytes = 0;
    const full: UserId[] = [];
    for (const { userId, keys } of recipients) {
      let fitting = 0;
      for (const { deviceId, body } of keys) {
        const key = ledgerKey(userId, deviceId);
        const use = this.#use.get(key);
        const length = decodedBytes(body);
        if (use === undefined || this.#fits(use, bytes + length)) {
          fitting += 1;
          keyBytes += length;
        } else (skipped ??= new Set()).add(key);
      }
      if (fitting === 0 && keys.length > 0 && userId !== sender.userId) full.push(userId);
    }
    return { skipped: skipped ?? NOBODY, full, keyBytes };
  }

  #fits(use: Readonly<Use>, bytes: number): boolean {
    return use.bytes + bytes <= this.#quotas.queueBytes && use.messages < this.#quotas.queueMessages;
  }

  #useOf(key: string): Use {
    let use = this.#use.get(key);
    if (use === undefined) this.#use.set(key, (use = { bytes: 0, messages: 0, answers: 0 }));
    return use;
  }
}

/** How many bytes a base64 text (with padding, as the wire has it) stands for. */
export function decodedBytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}
