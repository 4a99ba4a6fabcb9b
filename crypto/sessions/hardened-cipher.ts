import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CryptoError } from '../crypto-error.ts';
import type { CryptoErrorCode } from '../crypto-error.ts';
import { SessionBuilder, SessionCipher, SignalProtocolAddress } from './library.ts';
import { chainName, stepRatchet } from './ratchet-step.ts';
import type { SignalKeyPair } from './session-store.ts';
import type { LibrarySession } from './working-copy.ts';

type LibraryStorage = ConstructorParameters<typeof SessionCipher>[0];
type LibraryChain = LibrarySession['chains'][string];
type LibraryRecord = Awaited<ReturnType<SessionCipher['getRecord']>>;
type LibraryPrekeyMessage = Parameters<SessionBuilder['startSessionWthPreKeyMessage']>[2];
type LibraryKeyPair = Parameters<SessionBuilder['startSessionAsInitiator']>[0];

/** The constants of KDF_CK (Double Ratchet specification, section 7.2). */
const FOR_MESSAGE = Uint8Array.of(1);
const FOR_CHAIN = Uint8Array.of(2);

/** Where the key of a skipped message comes from: it is derived only once the message that skipped it is genuine. */
interface SkippedKey {
  readonly chain: LibraryChain;
  readonly counter: number;
  readonly chainKey: Uint8Array;
}

/** The library wants an address for its lock and its error texts; neither is used here. */
const NOWHERE = new SignalProtocolAddress('nobody', 1);

/**
 * The ratchet steps of the library, on one session in memory. Everything around them that went wrong in the library
 * is left out: its record, its storage calls, its trust checks and its realm-wide lock. Each call works on the
 * session it is given, so callers pass a copy and keep it only if the call succeeded.
 */
export class HardenedCipher extends SessionCipher {
  #session: LibrarySession | undefined;
  #skipped: SkippedKey[] = [];
  #takeKeys: (keys: number) => void = () => {};

  constructor(identity: SignalKeyPair) {
    super(storageOf(identity), NOWHERE);
    // The library's own derives every key twice over, one after the other, whoever asks for how many.
    this['fillMessageKeys'] = (chain: LibraryChain, counter: number) =>
      Promise.resolve(this.#advance(chain, counter, 1));
  }

  /** Advances the sending chain and encrypts. */
  async encryptIn(
    session: LibrarySession,
    plaintext: ArrayBuffer,
  ): Promise<{ readonly type: 'message' | 'prekey'; readonly body: Uint8Array<ArrayBuffer> }> {
    this.#session = session;
    // Its public `encrypt` only puts this job into the realm-wide queue.
    const { type, body = '' } = await this['encryptJob'](plaintext);
    return { type: type === 3 ? 'prekey' : 'message', body: bytesOf(body) };
  }

  /**
   * Steps the ratchet if needed, checks the MAC and decrypts.
   * @param takeKeys told of the skipped messages whose keys are about to be derived; may throw
   * Throws `tampered`, `replayed`, `too_far_ahead`, `key_weak`, and what `takeKeys` throws.
   */
  async decryptIn(
    session: LibrarySession,
    message: ArrayBuffer,
    takeKeys: (keys: number) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#skipped = [];
    this.#takeKeys = takeKeys;
    try {
      const plaintext = new Uint8Array(await this.doDecryptWhisperMessage(message, session));
      for (const { chain, counter, chainKey } of this.#skipped) {
        chain.messageKeys[counter] = hmac(sha256, chainKey, FOR_MESSAGE).slice().buffer as ArrayBuffer;
      }
      return plaintext;
    } catch (error) {
      throw refusal(error);
    }
  }

  /**
   * Advances a chain to `counter`. The keys of the last `wanted` messages are derived at once, those of the skipped ones
   * before them only remembered. KDF_CK (Double Ratchet specification, section 5.2).
   */
  #advance(chain: LibraryChain, counter: number, wanted: 0 | 1): void {
    const steps = counter - chain.chainKey.counter;
    if (steps <= 0) return;
    if (chain.chainKey.key === undefined) throw new CryptoError('tampered', 'no such message in that chain');
    this.#takeKeys(steps - wanted);
    let chainKey = new Uint8Array(chain.chainKey.key);
    for (let at = chain.chainKey.counter + 1; at <= counter; at += 1) {
      if (at > counter - wanted) {
        chain.messageKeys[at] = hmac(sha256, chainKey, FOR_MESSAGE).slice().buffer as ArrayBuffer;
      } else {
        this.#skipped.push({ chain, counter: at, chainKey });
      }
      chainKey = new Uint8Array(hmac(sha256, chainKey, FOR_CHAIN));
    }
    chain.chainKey = { counter, key: chainKey.slice().buffer };
  }

  /** The chain that ends here keeps the keys of its messages still under way, and no chain key. */
  override async maybeStepRatchet(
    session: LibrarySession,
    remoteKey: ArrayBuffer,
    previousCounter: number,
  ): Promise<void> {
    if (session.chains[chainName(remoteKey)] !== undefined) return;
    const ephemeralKey = session.currentRatchet.lastRemoteEphemeralKey;
    const ending = session.chains[chainName(ephemeralKey)];
    if (ending !== undefined) {
      this.#advance(ending, previousCounter, 0);
      delete ending.chainKey.key;
      session.oldRatchetList.push({ ephemeralKey, added: 0 });
    }
    await stepRatchet(session, remoteKey);
  }

  /** The record that the library's encryption reads its session from and would write back to. */
  override getRecord(): Promise<LibraryRecord> {
    const record = { getOpenSession: () => this.#session, updateSessionState: () => {}, serialize: () => '' };
    return Promise.resolve(record as unknown as LibraryRecord);
  }
}

/** X3DH as the initiator (X3DH specification, section 3.3). Bundle and signature must have been verified. */
export function startAsInitiator(
  identity: SignalKeyPair,
  baseKey: LibraryKeyPair,
  theirs: {
    readonly identityKey: ArrayBuffer;
    readonly signedPrekey: ArrayBuffer;
    readonly prekey?: ArrayBuffer | undefined;
  },
): Promise<LibrarySession> {
  const builder = new SessionBuilder(storageOf(identity), NOWHERE);
  return builder.startSessionAsInitiator(baseKey, theirs.identityKey, theirs.signedPrekey, theirs.prekey, 0);
}

/** X3DH as the responder (section 3.4). The sender's identity must have been verified. */
export function startAsResponder(
  identity: SignalKeyPair,
  ours: { readonly signedPrekey: LibraryKeyPair; readonly prekey?: LibraryKeyPair | undefined },
  theirs: { readonly identityKey: ArrayBuffer; readonly baseKey: ArrayBuffer },
): Promise<LibrarySession> {
  const builder = new SessionBuilder(storageOf(identity), NOWHERE);
  const message = { ...theirs, registrationId: 0 } as unknown as LibraryPrekeyMessage;
  return builder.startSessionWthPreKeyMessage(ours.prekey, ours.signedPrekey, message);
}

/** The library returns bytes as a string of characters up to 255. */
function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Key pairs as the library takes them: buffers of their own. */
export function libraryKeyPair({ publicKey, privateKey }: SignalKeyPair): LibraryKeyPair {
  return { pubKey: publicKey.slice().buffer, privKey: privateKey.slice().buffer };
}

function storageOf(identity: SignalKeyPair): LibraryStorage {
  const pair = libraryKeyPair(identity);
  const storage: Partial<LibraryStorage> = {
    getIdentityKeyPair: () => Promise.resolve(pair),
    getLocalRegistrationId: () => Promise.resolve(0),
    // Trust is decided before the library is called at all.
    isTrustedIdentity: () => Promise.resolve(true),
    saveIdentity: () => Promise.resolve(true),
    storeSession: () => Promise.resolve(),
  };
  return storage as LibraryStorage;
}

/** The library tells its refusals apart by their texts only. Anything else is a fault and stays what it is. */
const REFUSALS: ReadonlyMap<string, readonly [CryptoErrorCode, string]> = new Map([
  ['Bad MAC', ['tampered', 'the message does not authenticate']],
  ['Tried to decrypt on a sending chain', ['tampered', 'the message uses our own ratchet key']],
  ['Message key not found. The counter was repeated or the key was not filled.', ['replayed', 'accepted before']],
]);

function refusal(error: unknown): unknown {
  const known = error instanceof Error ? REFUSALS.get(error.message) : undefined;
  return known === undefined ? error : new CryptoError(...known);
}
