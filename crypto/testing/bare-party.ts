import {
  KeyHelper,
  SessionBuilder,
  SessionCipher,
  SignalProtocolAddress,
} from '@privacyresearch/libsignal-protocol-typescript';

type Storage = ConstructorParameters<typeof SessionCipher>[0];
type KeyPair = NonNullable<Awaited<ReturnType<Storage['getIdentityKeyPair']>>>;
type Device = Parameters<SessionBuilder['processPreKey']>[0];
type Message = Awaited<ReturnType<SessionCipher['encrypt']>>;

/** The library's storage as its documentation shows it, for comparing the bare library with the hardened one. */
export class BareStorage {
  readonly sessions = new Map<string, string>();
  readonly prekeys = new Map<string, KeyPair>();
  readonly signedPrekeys = new Map<string, KeyPair>();
  readonly identity: KeyPair;
  /** Answers every question about trust. */
  trust = true;

  constructor(identity: KeyPair) {
    this.identity = identity;
  }

  getIdentityKeyPair = () => Promise.resolve(this.identity);
  getLocalRegistrationId = () => Promise.resolve(1);
  isTrustedIdentity = () => Promise.resolve(this.trust);
  saveIdentity = () => Promise.resolve(true);
  loadPreKey = (keyId: string | number) => Promise.resolve(this.prekeys.get(String(keyId)));
  storePreKey = (keyId: string | number, pair: KeyPair) => Promise.resolve(void this.prekeys.set(String(keyId), pair));
  removePreKey = (keyId: string | number) => Promise.resolve(void this.prekeys.delete(String(keyId)));
  loadSignedPreKey = (keyId: string | number) => Promise.resolve(this.signedPrekeys.get(String(keyId)));
  storeSignedPreKey = (keyId: string | number, pair: KeyPair) =>
    Promise.resolve(void this.signedPrekeys.set(String(keyId), pair));
  removeSignedPreKey = (keyId: string | number) => Promise.resolve(void this.signedPrekeys.delete(String(keyId)));
  loadSession = (address: string) => Promise.resolve(this.sessions.get(address));
  storeSession = (address: string, record: string) => Promise.resolve(void this.sessions.set(address, record));
}

export interface BareParty {
  readonly address: SignalProtocolAddress;
  readonly storage: BareStorage;
  readonly bundle: Device;
}

export async function makeBareParty(name: string, prekeyId = 1): Promise<BareParty> {
  const storage = new BareStorage(await KeyHelper.generateIdentityKeyPair());
  const signedPrekey = await KeyHelper.generateSignedPreKey(storage.identity, 1);
  const prekey = await KeyHelper.generatePreKey(prekeyId);
  await storage.storeSignedPreKey(1, signedPrekey.keyPair);
  await storage.storePreKey(prekeyId, prekey.keyPair);
  const bundle: Device = {
    identityKey: storage.identity.pubKey,
    registrationId: 1,
    signedPreKey: { keyId: 1, publicKey: signedPrekey.keyPair.pubKey, signature: signedPrekey.signature },
    preKey: { keyId: prekeyId, publicKey: prekey.keyPair.pubKey },
  };
  return { address: new SignalProtocolAddress(name, 1), storage, bundle };
}

export async function bareConnect(from: BareParty, to: BareParty): Promise<void> {
  await new SessionBuilder(from.storage, to.address).processPreKey(to.bundle);
}

export function bareSend(from: BareParty, to: BareParty, text: string): Promise<Message> {
  return new SessionCipher(from.storage, to.address).encrypt(bytesOf(text));
}

export async function bareReceive(to: BareParty, from: BareParty, message: Message): Promise<string> {
  const cipher = new SessionCipher(to.storage, from.address);
  const body = message.body ?? '';
  const plaintext =
    message.type === 3
      ? await cipher.decryptPreKeyWhisperMessage(body, 'binary')
      : await cipher.decryptWhisperMessage(body, 'binary');
  return String.fromCharCode(...new Uint8Array(plaintext));
}

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(text, (char: string) => char.charCodeAt(0)).buffer;
}
