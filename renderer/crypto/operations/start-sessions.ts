import { fromBase64 } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/crypto-error.ts';
import { addressKey } from '../../../crypto/sessions/session-store.ts';
import { startSession } from '../../../crypto/sessions/start-session.ts';
import type { PrekeyBundle } from '../../../protocol/devices.ts';
import { Batch } from '../batch.ts';
import type { Profile } from '../profile.ts';

/**
 * See `Vault.startSessions`. A bundle counts only for a device on its account's verified list, with that device's identity;
 * others are passed over, and the send that needs them fails.
 */
export async function startSessions(profile: Profile, bundles: readonly PrekeyBundle[]): Promise<void> {
  const batch = new Batch(profile);
  for (const bundle of bundles) {
    const { userId, deviceId } = bundle;
    const listed = profile.peers.get(userId)?.list.devices.find((device) => device.deviceId === deviceId);
    if (listed === undefined) continue;
    try {
      const address = { userId, deviceId };
      batch.sessions.stage(await startSession(batch.sessions, address, bundle, fromBase64(listed.identityKey)));
      batch.setRenew(addressKey(address), false);
    } catch (error) {
      if (!CryptoError.is(error)) throw error;
    }
  }
  await batch.commit();
}
