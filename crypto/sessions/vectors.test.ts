import { sessionTypeArrayBufferToString } from '@privacyresearch/libsignal-protocol-typescript/lib/session-record.js';
import { WhisperMessage } from '@privacyresearch/libsignal-protocol-protobuf-ts';
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { expect, it } from 'vitest';
import type { PrekeyBundle } from '../../protocol/devices.ts';
import type { DeviceId } from '../../protocol/ids.ts';
import { concat, fromBase64, fromUtf8, toBase64, utf8 } from '../bytes.ts';
import { bareReceive, bareSend, makeBareParty } from '../testing/bare-party.ts';
import { connect, makeParty, randomUserId, receive, send } from '../testing/party.ts';
import { webCryptoCurve } from './curve.ts';
import { decryptFrom } from './decrypt.ts';
import { encryptFor } from './encrypt.ts';
import { startAsResponder } from './hardened-cipher.ts';
import { addressKey } from './session-store.ts';
import { startSession } from './start-session.ts';

/**
 * Constants of Signal's own implementation (libsignal-protocol-c, tests/test_ratchet.c), computed against here with
 * Node's HKDF, HMAC and AES, none of which the code under test uses.
 */
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (data: ArrayBuffer | Uint8Array) => Buffer.from(new Uint8Array(data)).toString('hex');
const hkdf = (secret: Uint8Array, salt: Uint8Array, info: string, length: number) =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length));

it('X3DH derives the root key as Signal does', async () => {
  const alice = {
    identityKey: bytes('05b4a8455660ada65b401007f615e654041746432e3339c6875149bceefcb42b4a'),
    baseKey: bytes('05472d1fb1a9862c3af6beaca8920277e2b26f4a79213ec7c906aeb35e03cf8950'),
  };
  const bobIdentity = {
    publicKey: bytes('05f1f43874f6966956c2dd473f8fa15adeb71d1cb991b2341692324cefb1c5e626'),
    privateKey: bytes('4875cc69ddf8ea0719ec947d61081135868d5fd801f02c0225e516df2156605e'),
  };
  const bobSignedPrekey = {
    pubKey: bytes('05ac248a8f263be6863576eb0362e28c828f0107a3379d34bab1586bf8c770cd67').buffer,
    privKey: bytes('583900131fb727998b7803fe6ac22cc591f342e4e42a8c8d5d78194209b8d253').buffer,
  };
  const agree = async (theirs: Uint8Array<ArrayBuffer>, ours: ArrayBuffer) =>
    new Uint8Array(await webCryptoCurve.sharedSecret(theirs.slice(1).buffer, ours));
  const secret = concat(
    new Uint8Array(32).fill(0xff),
    await agree(alice.identityKey, bobSignedPrekey.privKey),
    await agree(alice.baseKey, bobIdentity.privateKey.buffer),
    await agree(alice.baseKey, bobSignedPrekey.privKey),
  );
  const derived = hkdf(secret, new Uint8Array(32), 'WhisperText', 64);
  expect(hex(derived.subarray(32))).toBe('9797caca53c989bbe229a40ca7727010eb2604fc14945d77958a0aeda088b44d');

  const session = await startAsResponder(
    bobIdentity,
    { signedPrekey: bobSignedPrekey },
    { identityKey: alice.identityKey.buffer, baseKey: alice.baseKey.buffer },
  );
  expect(sessionTypeArrayBufferToString(session).currentRatchet.rootKey).toBe(
    derived.subarray(0, 32).toString('base64'),
  );
});

it('a chain gives the message keys that Signal’s gives', async () => {
  const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
  await connect(alice, bob);
  await receive(bob, alice, await send(alice, bob, 'hello'));
  await receive(alice, bob, await send(bob, alice, 'hello'));
  const seed = bytes('8ab72d6f4cc5ac0d387eaf463378ddb28edd07385b1cb01250c715982e7ad48f');
  const sent = withSendingChain(alice.store.sessions.get(addressKey(bob.address))!, seed);
  alice.store.sessions.set(addressKey(bob.address), sent.record);

  const body = fromBase64((await send(alice, bob, 'by the book')).body);
  const message = WhisperMessage.decode(body.subarray(1, -8));
  const macKey = bytes('c6c77d6a73a354337a56435e34607dfe48e3ace14e77314dc6abc172e7a7030b');
  const mac = createHmac('sha256', macKey)
    .update(concat(alice.identityKey, bob.identityKey, body.subarray(0, -8)))
    .digest();
  expect(hex(body.subarray(-8))).toBe(hex(mac.subarray(0, 8)));

  const cipherKey = bytes('bf51e9d75e0e31031051f82a2491ffc084fa298b7793bd9db620056febf45217');
  const iv = hkdf(createHmac('sha256', seed).update('\u0001').digest(), new Uint8Array(32), 'WhisperMessageKeys', 80);
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv.subarray(64));
  expect(decipher.update(message.ciphertext).toString() + decipher.final().toString()).toBe('by the book');

  const next = JSON.parse(alice.store.sessions.get(addressKey(bob.address))!).open.state.chains[sent.ratchetKey];
  expect(hex(fromBase64(next.chainKey.key))).toBe('28e8f8fee54b801eef7c5cfb2f17f32c7b334485bbb70fac6ec10342a246d15d');
});

it('the library as it comes and ours understand each other, step by step and out of order', async () => {
  const alice = await makeParty();
  const bare = await makeBareParty('bob');
  const bob = { userId: randomUserId(), deviceId: 1 as DeviceId };
  const [bareAlice, identityKey] = [await makeBareParty('alice'), new Uint8Array(bare.bundle.identityKey)];
  const { signedPreKey, preKey } = bare.bundle;
  const base64 = (buffer: ArrayBuffer) => toBase64(new Uint8Array(buffer));
  const bundle: PrekeyBundle = {
    ...bob,
    registrationId: 1,
    identityKey: toBase64(identityKey),
    signedPrekey: { keyId: 1, publicKey: base64(signedPreKey.publicKey), signature: base64(signedPreKey.signature) },
    prekey: { keyId: 1, publicKey: base64(preKey!.publicKey) },
  };
  alice.store.apply(await startSession(alice.store, bob, bundle, identityKey));

  const toBob = async (text: string) => {
    const { wrapped, changes } = await encryptFor(alice.store, bob, utf8(text));
    alice.store.apply(changes);
    const type = wrapped.type === 'prekey' ? 3 : 1;
    return { type, body: String.fromCharCode(...fromBase64(wrapped.body)) };
  };
  const fromBob = async ({ type, body = '' }: Awaited<ReturnType<typeof bareSend>>) => {
    expect(type).toBe(1);
    const bytes = Uint8Array.from(body, (char: string) => char.charCodeAt(0));
    const wrapped = { type: 'message' as const, body: toBase64(bytes) };
    const { plaintext, changes } = await decryptFrom(alice.store, bob, wrapped, identityKey);
    alice.store.apply(changes);
    return fromUtf8(plaintext);
  };
  for (let i = 0; i < 4; i++) {
    const [first, second, third] = [await toBob('one'), await toBob('two'), await toBob('three')];
    expect(await bareReceive(bare, bareAlice, third)).toBe('three');
    expect(await bareReceive(bare, bareAlice, first)).toBe('one');
    const answers = [await bareSend(bare, bareAlice, 'four'), await bareSend(bare, bareAlice, 'five')] as const;
    expect(await fromBob(answers[1])).toBe('five');
    expect(await bareReceive(bare, bareAlice, await toBob('six'))).toBe('six');
    expect(await fromBob(answers[0])).toBe('four');
    expect(await bareReceive(bare, bareAlice, second)).toBe('two');
  }
});

/** A record whose sending chain begins at a given chain key. */
function withSendingChain(record: string, chainKey: Uint8Array): { record: string; ratchetKey: string } {
  const sessions = JSON.parse(record);
  const { currentRatchet, chains } = sessions.open.state;
  const ratchetKey: string = currentRatchet.ephemeralKeyPair.pubKey;
  chains[ratchetKey].chainKey = { counter: -1, key: toBase64(chainKey) };
  return { record: JSON.stringify(sessions), ratchetKey };
}
