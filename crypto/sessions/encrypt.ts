import type { WrappedKey } from '../../protocol/chat.ts';
import type { DeviceAddress } from '../../protocol/ids.ts';
import { fromBase64, toBase64 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { HardenedCipher } from './hardened-cipher.ts';
import { checkSavedIdentity, requireSameIdentity } from './identity-check.ts';
import { parseSessions, serialiseSessions } from './session-state.ts';
import type { SessionChanges, SessionStore } from './session-store.ts';
import { WorkingCopy } from './working-copy.ts';

/**
 * Encrypts a short plaintext (a message key) in the open session with a device. Commit the changes before the
 * ciphertext leaves: a chain key must never be used twice.
 * @param expectedIdentityKey the device's identity key from the verified device list, if at hand; the one saved
 *   when the session began is compared in any case
 * Throws `no_session`, `identity_changed`.
 */
export async function encryptFor(
  store: SessionStore,
  address: DeviceAddress,
  plaintext: Bytes,
  expectedIdentityKey?: Bytes,
): Promise<{ readonly wrapped: WrappedKey; readonly changes: SessionChanges }> {
  const sessions = parseSessions(await store.loadSession(address));
  if (sessions.open === null) throw new CryptoError('no_session', 'no session with that device');
  const identityKey = fromBase64(sessions.open.state.indexInfo.remoteIdentityKey);
  if (expectedIdentityKey !== undefined) requireSameIdentity(identityKey, expectedIdentityKey);
  const identities = await checkSavedIdentity(store, address, identityKey);

  const copy = new WorkingCopy(sessions.open.state);
  const cipher = new HardenedCipher(await store.loadIdentityKeyPair());
  const { type, body } = await cipher.encryptIn(copy.session, plaintext.slice().buffer);
  const record = serialiseSessions({ ...sessions, open: { ...sessions.open, state: copy.state() } });
  const changes = { sessions: [{ address, record }], removedPrekeys: [], identities };
  return { wrapped: { type, body: toBase64(body) }, changes };
}
