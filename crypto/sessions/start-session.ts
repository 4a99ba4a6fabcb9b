import { sessionTypeArrayBufferToString } from '@privacyresearch/libsignal-protocol-typescript/lib/session-record.js';
import { PrekeyBundle } from '../../protocol/devices.ts';
import type { DeviceAddress } from '../../protocol/ids.ts';
import { fromBase64 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { checkPublicKey, generateSignalKeyPair, isSignedByIdentity } from './curve.ts';
import { libraryKeyPair, startAsInitiator } from './hardened-cipher.ts';
import { checkSavedIdentity, requireSameIdentity } from './identity-check.ts';
import { parseSessions, serialiseSessions, withOpen } from './session-state.ts';
import type { Session } from './session-state.ts';
import type { SessionChanges, SessionStore } from './session-store.ts';

/**
 * Begins a session with a device from its prekey bundle (X3DH specification, section 3.3); an open session is
 * archived. Encrypt next: the first messages carry what the other side needs.
 * @param expectedIdentityKey the device's 33-byte identity key from the verified device list
 * Throws `malformed`, `identity_changed`, `signature_invalid`, `key_weak`.
 */
export async function startSession(
  store: SessionStore,
  address: DeviceAddress,
  bundle: PrekeyBundle,
  expectedIdentityKey: Bytes,
): Promise<SessionChanges> {
  const theirs = parseBundle(bundle, address);
  requireSameIdentity(theirs.identityKey, expectedIdentityKey);
  const identities = await checkSavedIdentity(store, address, expectedIdentityKey);
  if (!(await isSignedByIdentity(theirs.identityKey, theirs.signedPrekey, theirs.signature))) {
    throw new CryptoError('signature_invalid', 'the signed prekey is not signed by that identity');
  }
  const session = await initiate(store, theirs);
  const sessions = withOpen(parseSessions(await store.loadSession(address)), session);
  return { sessions: [{ address, record: serialiseSessions(sessions) }], removedPrekeys: [], identities };
}

type Theirs = ReturnType<typeof parseBundle>;

function parseBundle(value: PrekeyBundle, address: DeviceAddress) {
  const parsed = PrekeyBundle.safeParse(value);
  if (!parsed.success || parsed.data.userId !== address.userId || parsed.data.deviceId !== address.deviceId) {
    throw new CryptoError('malformed', 'not a prekey bundle of that device');
  }
  const { identityKey, signedPrekey, prekey } = parsed.data;
  const theirs = {
    identityKey: fromBase64(identityKey),
    signedPrekey: fromBase64(signedPrekey.publicKey),
    signature: fromBase64(signedPrekey.signature),
    prekey: prekey && fromBase64(prekey.publicKey),
    signedPrekeyId: signedPrekey.keyId,
    prekeyId: prekey?.keyId,
  };
  for (const key of [theirs.identityKey, theirs.signedPrekey, theirs.prekey]) if (key) checkPublicKey(key);
  return theirs;
}

async function initiate(store: SessionStore, theirs: Theirs): Promise<Session> {
  const baseKey = libraryKeyPair(await generateSignalKeyPair());
  const session = await startAsInitiator(await store.loadIdentityKeyPair(), baseKey, {
    identityKey: theirs.identityKey.buffer,
    signedPrekey: theirs.signedPrekey.buffer,
    prekey: theirs.prekey?.buffer,
  });
  session.pendingPreKey = {
    signedKeyId: theirs.signedPrekeyId,
    baseKey: baseKey.pubKey,
    ...(theirs.prekeyId === undefined ? {} : { preKeyId: theirs.prekeyId }),
  };
  return { state: sessionTypeArrayBufferToString(session) };
}
