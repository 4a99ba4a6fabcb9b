import { Curve25519Wrapper } from '@privacyresearch/curve25519-typescript';
import { SessionLock } from '@privacyresearch/libsignal-protocol-typescript/lib/session-lock.js';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { WrappedKey } from '../../protocol/chat.ts';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { generatePrekeys } from '../identity/device-keys.ts';
import { bareConnect, bareReceive, bareSend, makeBareParty } from '../testing/bare-party.ts';
import type { BareParty } from '../testing/bare-party.ts';
import { bundleOf, codeOf, connect, makeParty, receive, send } from '../testing/party.ts';
import { isSignedByIdentity } from './curve.ts';
import { decryptFrom } from './decrypt.ts';
import { encryptFor } from './encrypt.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { addressKey } from './session-store.ts';
import { startSession } from './start-session.ts';

function withoutPrekey(party: BareParty): BareParty {
  const { preKey: _, ...bundle } = party.bundle;
  return { ...party, bundle };
}

/**
 * Each flaw that was found in the library is shown first in the library as it comes, then repaired in ours, by the
 * same scenario. Should a newer version of the library repair one itself, the first half of its pair fails.
 */
describe('trust is decided before anything is decrypted', () => {
  it('bare: a first message is decrypted although its identity is not trusted', async () => {
    const [alice, bob] = await Promise.all([makeBareParty('alice'), makeBareParty('bob')]);
    await bareConnect(alice, bob);
    bob.storage.trust = false;
    expect(await bareReceive(bob, alice, await bareSend(alice, bob, 'believe me'))).toBe('believe me');
  });

  it('ours: it is refused, and nothing changes', async () => {
    const [alice, bob, mallory] = await Promise.all([makeParty(), makeParty(), makeParty()]);
    await connect(mallory, bob);
    const wrapped = await send(mallory, bob, 'believe me');
    const loaded: number[] = [];
    const store = { ...bob.store, loadPrekey: (id: number) => (loaded.push(id), bob.store.loadPrekey(id)) };
    const received = decryptFrom(store, mallory.address, wrapped, alice.identityKey);
    expect(await codeOf(received)).toBe('identity_changed');
    expect(loaded).toEqual([]);
    expect(await receive(bob, mallory, wrapped)).toBe('believe me');
  });

  it('ours: an identity other than the saved one is refused even if a device list names it', async () => {
    const [alice, bob, mallory] = await Promise.all([makeParty(), makeParty(), makeParty()]);
    await connect(alice, bob);
    await receive(bob, alice, await send(alice, bob, 'hello'));
    await connect(mallory, bob, 1);
    const wrapped = await send(mallory, bob, 'I am Alice');
    expect(await codeOf(decryptFrom(bob.store, alice.address, wrapped, mallory.identityKey))).toBe('identity_changed');
    const impostor = { ...bundleOf(mallory), ...alice.address };
    expect(await codeOf(startSession(bob.store, alice.address, impostor, mallory.identityKey))).toBe(
      'identity_changed',
    );
    expect(await codeOf(encryptFor(bob.store, alice.address, utf8('hi'), mallory.identityKey))).toBe(
      'identity_changed',
    );
  });
});

describe('a message that is not accepted leaves the sessions as they were', () => {
  it('bare: one late message of an old session spoils the new one', async () => {
    const [alice, bob] = await Promise.all([makeBareParty('alice'), makeBareParty('bob')]);
    await bareConnect(alice, bob);
    await bareReceive(bob, alice, await bareSend(alice, bob, '1'));
    await bareReceive(alice, bob, await bareSend(bob, alice, '2'));
    const late = await bareSend(alice, bob, 'late');
    await bareConnect(alice, withoutPrekey(bob));
    await bareReceive(bob, alice, await bareSend(alice, bob, '3'));
    await bareReceive(alice, bob, await bareSend(bob, alice, '4'));
    const next = await bareSend(alice, bob, '5');
    await bareReceive(bob, alice, late).catch(() => {});
    await expect(bareReceive(bob, alice, next)).rejects.toThrow('Bad MAC');
  });

  it('ours: both are read', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    await connect(alice, bob);
    await receive(bob, alice, await send(alice, bob, '1'));
    await receive(alice, bob, await send(bob, alice, '2'));
    const late = await send(alice, bob, 'late');
    await connect(alice, bob, 1);
    await receive(bob, alice, await send(alice, bob, '3'));
    await receive(alice, bob, await send(bob, alice, '4'));
    const next = await send(alice, bob, '5');
    expect(await receive(bob, alice, late)).toBe('late');
    expect(await receive(bob, alice, next)).toBe('5');
    expect(await receive(alice, bob, await send(bob, alice, '6'))).toBe('6');
  });
});

describe('a session does not grow with its age', () => {
  const ROUND_TRIPS = 60;

  it('bare: every receiver chain is kept for ever', async () => {
    const [alice, bob] = await Promise.all([makeBareParty('alice'), makeBareParty('bob')]);
    await bareConnect(alice, bob);
    for (let i = 0; i < ROUND_TRIPS; i++) {
      await bareReceive(bob, alice, await bareSend(alice, bob, 'ping'));
      await bareReceive(alice, bob, await bareSend(bob, alice, 'pong'));
    }
    const { sessions } = JSON.parse(alice.storage.sessions.get(bob.address.toString())!);
    const [session] = Object.values(sessions) as { chains: object }[];
    expect(Object.keys(session!.chains).length).toBeGreaterThan(ROUND_TRIPS - 1);
  });

  it('ours: five receiver chains and the sending one', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    await connect(alice, bob);
    for (let i = 0; i < ROUND_TRIPS; i++) {
      await receive(bob, alice, await send(alice, bob, 'ping'));
      await receive(alice, bob, await send(bob, alice, 'pong'));
    }
    const record = alice.store.sessions.get(addressKey(bob.address))!;
    expect(Object.keys(JSON.parse(record).open.state.chains)).toHaveLength(6);
    expect(record.length).toBeLessThan(3000);
  });
});

describe('nothing realm-wide grows with the messages', () => {
  const promises = () => (SessionLock as unknown as { _promises: unknown[] })._promises.length;

  it('bare: a promise is kept of every operation', async () => {
    const [alice, bob] = await Promise.all([makeBareParty('alice'), makeBareParty('bob')]);
    await bareConnect(alice, bob);
    const before = promises();
    for (let i = 0; i < 10; i++) await bareSend(alice, bob, 'ping');
    expect(promises()).toBe(before + 10);
  });

  it('ours: the lock is not used, and the queue by address forgets', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    const before = promises();
    const queue = new KeyedQueue();
    await connect(alice, bob);
    for (let i = 0; i < 10; i++) {
      const wrapped = await queue.run([addressKey(bob.address)], () => send(alice, bob, 'ping'));
      await queue.run([addressKey(alice.address)], () => receive(bob, alice, wrapped));
    }
    expect(promises()).toBe(before);
    expect(queue.size).toBe(0);
  });
});

describe('keys are checked', () => {
  it('bare: verify says true of a wrong signature', async () => {
    const curve = await Curve25519Wrapper.create();
    const { pubKey } = curve.keyPair(new Uint8Array(32).fill(1).buffer);
    expect(curve.verify(pubKey, new Uint8Array(3).buffer, new Uint8Array(64).buffer)).toBe(true);
  });

  it('ours: a wrong signature is wrong, and a bundle that has one is refused', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    const bundle = bundleOf(bob);
    const message = fromBase64(bundle.signedPrekey.publicKey);
    const signature = fromBase64(bundle.signedPrekey.signature);
    expect(await isSignedByIdentity(bob.identityKey, message, signature)).toBe(true);
    expect(await isSignedByIdentity(bob.identityKey, message, new Uint8Array(64))).toBe(false);
    signature[10]! ^= 1;
    const forged = { ...bundle, signedPrekey: { ...bundle.signedPrekey, signature: toBase64(signature) } };
    expect(await codeOf(startSession(alice.store, bob.address, forged, bob.identityKey))).toBe('signature_invalid');
  });

  it('bare: an all-zero public key gives an all-zero secret', async () => {
    const curve = await Curve25519Wrapper.create();
    const secret = curve.sharedSecret(new ArrayBuffer(32), new Uint8Array(32).fill(8).buffer);
    expect(new Uint8Array(secret)).toEqual(new Uint8Array(32));
  });

  it('ours: an all-zero prekey is refused', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    const zero = new Uint8Array(33);
    zero[0] = 5;
    const bundle = { ...bundleOf(bob), prekey: { keyId: 7, publicKey: toBase64(zero) } };
    expect(await codeOf(startSession(alice.store, bob.address, bundle, bob.identityKey))).toBe('key_weak');
  });

  it('bare: a used one-time prekey is silently left out of the agreement', async () => {
    const [alice, bob] = await Promise.all([makeBareParty('alice'), makeBareParty('bob')]);
    await bareConnect(alice, bob);
    bob.storage.prekeys.clear();
    // It goes on without the key and so ends in the wrong place: "Bad MAC", as if the message were forged.
    await expect(bareReceive(bob, alice, await bareSend(alice, bob, 'hi'))).rejects.toThrow('Bad MAC');
  });

  it('ours: a missing one-time prekey is named', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    await connect(alice, bob);
    const wrapped = await send(alice, bob, 'hi');
    bob.store.prekeys.clear();
    expect(await codeOf(receive(bob, alice, wrapped))).toBe('prekey_missing');
  });

  it('bare: with a one-time prekey of id 0, a first message without any cannot be read', async () => {
    const [alice, bob] = await Promise.all([makeBareParty('alice'), makeBareParty('bob', 0)]);
    await bareConnect(alice, withoutPrekey(bob));
    // On the wire 0 cannot be told from "none".
    await expect(bareReceive(bob, alice, await bareSend(alice, bob, 'hi'))).rejects.toThrow('Bad MAC');
  });

  it('ours: id 0 is never made and never taken', async () => {
    const { prekeys, nextPrekeyId } = await generatePrekeys(0xfffffe, 4);
    expect(prekeys.map((prekey) => prekey.keyId)).toEqual([0xfffffe, 0xffffff, 1, 2]);
    expect(nextPrekeyId).toBe(3);
    expect(await codeOf(generatePrekeys(0, 1))).toBe('malformed');
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    const { prekey, ...rest } = bundleOf(bob);
    const bundle = { ...rest, prekey: { ...prekey!, keyId: 0 } };
    expect(await codeOf(startSession(alice.store, bob.address, bundle, bob.identityKey))).toBe('malformed');
  });
});

describe('the unsafe fork stays out', () => {
  it('is not in the dependency tree', () => {
    const lock: { packages: Record<string, unknown> } = JSON.parse(
      readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
    );
    const paths = Object.keys(lock.packages);
    expect(paths).toContain('node_modules/@privacyresearch/libsignal-protocol-typescript');
    expect(paths.filter((path) => /(^|\/)node_modules\/libsignal-protocol-typescript$/.test(path))).toEqual([]);
    expect(JSON.stringify(lock)).not.toMatch(/npm:libsignal-protocol-typescript|\/libsignal-protocol-typescript\/-\//);
  });

  it('every flipped byte of a message is refused, and the session goes on', async () => {
    const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
    await connect(alice, bob);
    const flipAll = async (wrapped: WrappedKey) => {
      const body = fromBase64(wrapped.body);
      for (let i = 0; i < body.byteLength; i++) {
        const flipped = body.slice();
        flipped[i]! ^= 1 << (i % 8);
        const code = await codeOf(receive(bob, alice, { ...wrapped, body: toBase64(flipped) }));
        expect([i, code]).not.toEqual([i, 'accepted']);
        expect(code).toBeTypeOf('string');
      }
      return receive(bob, alice, wrapped);
    };
    expect(await flipAll(await send(alice, bob, 'first'))).toBe('first');
    expect(await flipAll(await send(alice, bob, 'second, in the same session'))).toBe('second, in the same session');
    await receive(alice, bob, await send(bob, alice, 'answer'));
    expect(await flipAll(await send(alice, bob, 'in the next chain'))).toBe('in the next chain');
  });
});
