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

/**
 * Counts what each account sends: a token bucket, so that no hour takes more than `senderBytesPerHour` and the burst on
 * top. Counted in this process, from its start: each of several processes counts its own connections.
 */
export class SenderQuota {
  readonly #quotas: Quotas;
  readonly #now: () => number;
  readonly #buckets = new Map<UserId, Bucket>();

  /** `now`: milliseconds. */
  constructor(quotas: Quotas, now: () => number) {
    this.#quotas = quotas;
    this.#now = now;
  }

  /** Throws `quota_sender` with the time after which it fits. Returns what gives it back, for a message that is not kept. */
  take(userId: UserId, payload: string, recipients: readonly Recipient[]): () => void {
    let bytes = decodedBytes(payload) + this.#quotas.senderOverheadBytes;
    for (const { keys } of recipients)
      for (const { body } of keys) bytes += decodedBytes(body) + this.#quotas.copyOverheadBytes;
    const bucket = this.#bucketOf(userId);
    if (bucket.left < bytes) {
      const perMs = this.#quotas.senderBytesPerHour / HOUR_MS;
      const retryAfterMs = Math.max(1000, Math.ceil((bytes - bucket.left) / perMs));
      throw new ProtocolError('quota_sender', 'You have sent as much as the server takes in an hour.', {
        retryAfterMs,
      });
    }
    bucket.left -= bytes;
    return () => void (bucket.left = Math.min(this.#quotas.senderBurstBytes, bucket.left + bytes));
  }

  #bucketOf(userId: UserId): Bucket {
    const { senderBurstBytes, senderBytesPerHour, senderCounts } = this.#quotas;
    const now = this.#now();
    const bucket = this.#buckets.get(userId);
    if (bucket === undefined) {
      const fresh = { left: senderBurstBytes, at: now };
      setBounded(this.#buckets, userId, fresh, senderCounts);
      return fresh;
    }
    // A clock that goes back gives nothing.
    const gained = (Math.max(0, now - bucket.at) / HOUR_MS) * senderBytesPerHour;
    bucket.left = Math.min(senderBurstBytes, bucket.left + gained);
    bucket.at = now;
    return bucket;
  }
}
