import { sessionTypeArrayBufferToString } from '@privacyresearch/libsignal-protocol-typescript/lib/session-record.js';
import type { WrappedKey } from '../../protocol/chat.ts';
import type { DeviceAddress } from '../../protocol/ids.ts';
import { fromBase64, toBase64 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { HardenedCipher, libraryKeyPair, startAsResponder } from './hardened-cipher.ts';
import { checkSavedIdentity, requireSameIdentity } from './identity-check.ts';
import { parseSessions, serialiseSessions, withOpen } from './session-state.ts';
import type { Session, Sessions } from './session-state.ts';
import type { SessionChanges, SessionStore } from './session-store.ts';
import { SkipBudget } from './skip-budget.ts';
import type { SessionAge } from './skip-budget.ts';
import { parsePrekeyMessage, parseRatchetMessage } from './wire-message.ts';
import type { PrekeyMessage, RatchetMessage } from './wire-message.ts';
import { WorkingCopy } from './working-copy.ts';

interface Opened {
  readonly plaintext: Bytes;
  readonly sessions: Sessions;
  readonly removedPrekeys: readonly number[];
}

interface Opener {
  readonly cipher: HardenedCipher;
  readonly sessions: Sessions;
  readonly budget: SkipBudget;
}

/**
 * Decrypts what `encryptFor` made on the other device. Trust comes first: nothing is computed for an identity other
 * than the expected one. Ratchet steps happen on a copy of the session and reach the changes only after the MAC was
 * found right, so a refused message changes nothing.
 * @param expectedIdentityKey the sending device's 33-byte identity key from the verified device list
 * @param budget how many messages may have been skipped; tells afterwards what was spent, also where it was refused
 * Throws `malformed`, `identity_changed`, `no_session`, `prekey_missing`, `replayed`, `tampered`, `too_far_ahead`,
 * `key_weak`.
 */
export async function decryptFrom(
  store: SessionStore,
  address: DeviceAddress,
  wrapped: WrappedKey,
  expectedIdentityKey: Bytes,
  budget: SkipBudget = new SkipBudget(),
): Promise<{ readonly plaintext: Bytes; readonly changes: SessionChanges }> {
  const identities = await checkSavedIdentity(store, address, expectedIdentityKey);
  const body = fromBase64(wrapped.body);
  const sessions = parseSessions(await store.loadSession(address));
  const opener = { cipher: new HardenedCipher(await store.loadIdentityKeyPair()), sessions, budget };
  const opened =
    wrapped.type === 'prekey'
      ? await openPrekeyMessage(store, opener, parsePrekeyMessage(body), expectedIdentityKey)
      : await openRatchetMessage(opener, parseRatchetMessage(body), expectedIdentityKey);
  const record = serialiseSessions(opened.sessions);
  return {
    plaintext: opened.plaintext,
    changes: { sessions: [{ address, record }], removedPrekeys: opened.removedPrekeys, identities },
  };
}

async function openRatchetMessage(
  opener: Opener,
  message: RatchetMessage,
  expectedIdentityKey: Bytes,
): Promise<Opened> {
  const { sessions } = opener;
  const candidates = candidatesFor(sessions, message, toBase64(expectedIdentityKey));
  let firstRefusal: CryptoError | undefined;
  for (const session of candidates) {
    // Of one candidate it is known that the message belongs to it.
    const age = candidates.length === 1 || session === sessions.open ? 'current' : 'replaced';
    try {
      return await openIn(opener, session, message, age);
    } catch (error) {
      if (!CryptoError.is(error)) throw error;
      firstRefusal ??= error;
    }
  }
  throw firstRefusal ?? new CryptoError('no_session', 'no session with that device');
}

/** A ratchet key that is known belongs to one session; one that is new may begin the next step of any. */
function candidatesFor({ open, archived }: Sessions, message: RatchetMessage, identityKey: string): readonly Session[] {
  const all = [...(open === null ? [] : [open]), ...archived];
  const trusted = all.filter((session) => session.state.indexInfo.remoteIdentityKey === identityKey);
  if (all.length > 0 && trusted.length === 0) {
    throw new CryptoError('identity_changed', 'the sessions are with another identity');
  }
  const ratchetKey = toBase64(message.ephemeralKey);
  const owner = trusted.find((session) => session.state.chains[ratchetKey] !== undefined);
  return owner === undefined ? trusted : [owner];
}

async function openPrekeyMessage(
  store: SessionStore,
  opener: Opener,
  message: PrekeyMessage,
  expectedIdentityKey: Bytes,
): Promise<Opened> {
  requireSameIdentity(message.identityKey, expectedIdentityKey);
  const { prekeyId, signedPrekeyId } = message;
  const existing = findByBaseKey(opener.sessions, message);
  if (existing !== undefined) {
    if (existing.origin?.prekeyId !== prekeyId || existing.origin.signedPrekeyId !== signedPrekeyId) {
      throw new CryptoError('tampered', 'the message names other prekeys than the first of its session');
    }
    return openIn(opener, existing, message.message, 'current');
  }
  const session = await respond(store, message);
  const opened = await openIn(opener, session, message.message, 'current');
  return { ...opened, removedPrekeys: prekeyId === 0 ? [] : [prekeyId] };
}

/** Throws `replayed` if that session was so long ago that only its base key is remembered. */
function findByBaseKey({ open, archived, retiredBaseKeys }: Sessions, message: PrekeyMessage): Session | undefined {
  const baseKey = toBase64(message.baseKey);
  if (retiredBaseKeys.includes(baseKey))
    throw new CryptoError('replayed', 'the first message of a session that is over');
  return [...(open === null ? [] : [open]), ...archived].find(
    (session) => session.origin !== undefined && session.state.indexInfo.baseKey === baseKey,
  );
}

async function respond(store: SessionStore, message: PrekeyMessage): Promise<Session> {
  const { prekeyId, signedPrekeyId } = message;
  const signedPrekey = await store.loadSignedPrekey(signedPrekeyId);
  const prekey = prekeyId === 0 ? undefined : await store.loadPrekey(prekeyId);
  if (signedPrekey === undefined || (prekeyId !== 0 && prekey === undefined)) {
    throw new CryptoError('prekey_missing', 'the message needs a prekey that is not here');
  }
  const session = await startAsResponder(
    await store.loadIdentityKeyPair(),
    { signedPrekey: libraryKeyPair(signedPrekey), prekey: prekey && libraryKeyPair(prekey) },
    { identityKey: message.identityKey.buffer, baseKey: message.baseKey.buffer },
  );
  return { state: sessionTypeArrayBufferToString(session), origin: { prekeyId, signedPrekeyId } };
}

/** Tries one session, on a copy. */
async function openIn(
  { cipher, sessions, budget }: Opener,
  session: Session,
  message: RatchetMessage,
  age: SessionAge,
): Promise<Opened> {
  const copy = new WorkingCopy(session.state, message);
  const plaintext = await cipher.decryptIn(copy.session, message.bytes.slice().buffer, budget.in(age));
  const next: Session = { ...session, state: copy.state() };
  return { plaintext, sessions: withOpen(sessions, next, session), removedPrekeys: [] };
}
