import type { Recipient } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { setBounded } from '../../bounded-map.ts';
import { decodedBytes, type Quotas } from './room.ts';

const HOUR_MS = 3_600_000;

interface Bucket {
  /** Bytes that may be sent at `at`. */
  left: number;
  at: number;
}

/** What one account may still send: as it is stored, and as it goes out to every device. */
interface Allowance {
  readonly stored: Bucket;
  readonly copied: Bucket;
}

/**
 * Counts what each account sends: token buckets, so that no hour takes more than what an hour may and the burst on top.
 * Counted in this process, from its start: each of several processes counts its own connections.
 */
export class SenderQuota {
  readonly #quotas: Quotas;
  readonly #now: () => number;
  readonly #allowances = new Map<UserId, Allowance>();

  /** `now`: milliseconds. */
  constructor(quotas: Quotas, now: () => number) {
    this.#quotas = quotas;
    this.#now = now;
  }

  /** Throws `quota_sender` with the time after which it fits. Returns what gives it back, for a message that is not kept. */
  take(userId: UserId, payload: string, recipients: readonly Recipient[]): () => void {
    const quotas = this.#quotas;
    const payloadBytes = decodedBytes(payload);
    let bytes = payloadBytes + quotas.senderOverheadBytes;
    let copiedBytes = 0;
    for (const { keys } of recipients) {
      for (const { body } of keys) {
        const keyBytes = decodedBytes(body);
        bytes += keyBytes + quotas.copyOverheadBytes;
        copiedBytes += payloadBytes + keyBytes;
      }
    }
    const { stored, copied } = this.#allowanceOf(userId);
    check(stored, bytes, quotas.senderBytesPerHour);
    check(copied, copiedBytes, quotas.senderCopiedBytesPerHour);
    stored.left -= bytes;
    copied.left -= copiedBytes;
    return () => {
      stored.left = Math.min(quotas.senderBurstBytes, stored.left + bytes);
      copied.left = Math.min(quotas.senderCopiedBurstBytes, copied.left + copiedBytes);
    };
  }

  #allowanceOf(userId: UserId): Allowance {
    const quotas = this.#quotas;
    const now = this.#now();
    const known = this.#allowances.get(userId);
    if (known === undefined) {
      const fresh = {
        stored: { left: quotas.senderBurstBytes, at: now },
        copied: { left: quotas.senderCopiedBurstBytes, at: now },
      };
      setBounded(this.#allowances, userId, fresh, quotas.senderCounts);
      return fresh;
    }
    refill(known.stored, quotas.senderBytesPerHour, quotas.senderBurstBytes, now);
    refill(known.copied, quotas.senderCopiedBytesPerHour, quotas.senderCopiedBurstBytes, now);
    return known;
  }
}

function refill(bucket: Bucket, perHour: number, burst: number, now: number): void {
  // A clock that goes back gives nothing.
  const gained = (Math.max(0, now - bucket.at) / HOUR_MS) * perHour;
  bucket.left = Math.min(burst, bucket.left + gained);
  bucket.at = now;
}

function check({ left }: Bucket, bytes: number, perHour: number): void {
  if (left >= bytes) return;
  const retryAfterMs = Math.max(1000, Math.ceil((bytes - left) / (perHour / HOUR_MS)));
  throw new ProtocolError('quota_sender', 'You have sent as much as the server takes in an hour.', { retryAfterMs });
}
