import type { DeviceAddress } from '../../protocol/ids.ts';
import { constantTimeEqual } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import type { SessionChanges, SessionStore } from './session-store.ts';

/** Throws `identity_changed` unless both are the same identity key. */
export function requireSameIdentity(actual: Bytes, expected: Bytes): void {
  if (!constantTimeEqual(actual, expected)) {
    throw new CryptoError('identity_changed', 'the identity key is not the expected one');
  }
}

/**
 * Compares the identity from the verified device list with the one saved when the first session began; a device
 * never changes its own. Returns the write that saves it the first time. Throws `identity_changed`.
 */
export async function checkSavedIdentity(
  store: SessionStore,
  address: DeviceAddress,
  identityKey: Bytes,
): Promise<SessionChanges['identities']> {
  const saved = await store.loadIdentity(address);
  if (saved === undefined) return [{ address, identityKey }];
  requireSameIdentity(saved, identityKey);
  return [];
}
