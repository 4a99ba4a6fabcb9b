import { PREKEY_BATCH, PREKEY_LOW } from '../../protocol/devices.ts';
import type { StoredSignedPrekey } from './device-keys.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A signed prekey older than this is replaced. */
export const SIGNED_PREKEY_ROTATION_MS = 7 * DAY_MS;
/** A replaced signed prekey is kept this long, for first messages that were under way. */
export const SIGNED_PREKEY_RETENTION_MS = 30 * DAY_MS;

export interface PrekeyDuties {
  /** Make a new signed prekey and publish it. */
  readonly rotate: boolean;
  /** How many one-time prekeys to make and publish; 0 for none. */
  readonly topUp: number;
  /** Ids of the signed prekeys to delete. */
  readonly forget: readonly number[];
}

/**
 * What a device has to do for its prekeys now: a new signed prekey weekly, the old ones kept 30 days after they were
 * replaced, one-time prekeys filled up to 100 when fewer than 20 are left on the server.
 */
export function prekeyDuties(state: {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly signedPrekeys: readonly Pick<StoredSignedPrekey, 'keyId' | 'createdAt'>[];
  /** One-time prekeys the server still has; null while unknown. */
  readonly remaining: number | null;
}): PrekeyDuties {
  const { now, signedPrekeys, remaining } = state;
  const newestFirst = signedPrekeys.toSorted((a, b) => b.createdAt - a.createdAt);
  const newest = newestFirst[0];
  // A creation time in the future is a clock that was set back; rotating brings the times into order again.
  const age = newest === undefined ? Infinity : now - newest.createdAt;
  const replacedAt = (i: number): number => newestFirst[i - 1]?.createdAt ?? Infinity;
  return {
    rotate: age >= SIGNED_PREKEY_ROTATION_MS || age < 0,
    topUp: remaining !== null && remaining < PREKEY_LOW ? PREKEY_BATCH - remaining : 0,
    forget: newestFirst
      .filter((_, i) => now - replacedAt(i) > SIGNED_PREKEY_RETENTION_MS)
      .map((prekey) => prekey.keyId),
  };
}
