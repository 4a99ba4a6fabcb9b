import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { bundleOf, codeOf, connect, makeParty, receive, send } from '../testing/party.ts';
import type { Party } from '../testing/party.ts';
import { decryptFrom } from './decrypt.ts';
import { encryptFor } from './encrypt.ts';
import { MAX_ARCHIVED_SESSIONS } from './session-state.ts';
import { addressKey } from './session-store.ts';
import { StagedStore } from './staged-store.ts';
import { startSession } from './start-session.ts';

async function pair(): Promise<[Party, Party]> {
  return Promise.all([makeParty(), makeParty()]);
}

describe('one session', () => {
  it('says `prekey` until the first answer, then `message`', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const first = await send(alice, bob, 'one');
    const second = await send(alice, bob, 'two');
    expect([first.type, second.type]).toEqual(['prekey', 'prekey']);
    expect(await receive(bob, alice, first)).toBe('one');
    expect(await receive(bob, alice, second)).toBe('two');
    expect(await receive(alice, bob, await send(bob, alice, 'three'))).toBe('three');
    expect((await send(alice, bob, 'four')).type).toBe('message');
  });

  it('uses a one-time prekey once', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob, 3);
    const keyId = bob.device.newDevice.prekeys[3]!.keyId;
    expect(bob.store.prekeys.has(keyId)).toBe(true);
    await receive(bob, alice, await send(alice, bob, 'hi'));
    expect(bob.store.prekeys.has(keyId)).toBe(false);
    expect(bob.store.prekeys.size).toBe(99);
  });

  it('begins without a one-time prekey when they have run out', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob, null);
    expect(await receive(bob, alice, await send(alice, bob, 'hi'))).toBe('hi');
    expect(bob.store.prekeys.size).toBe(100);
    expect(await receive(alice, bob, await send(bob, alice, 'ho'))).toBe('ho');
  });

  it('refuses a replay of either kind with a code', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const first = await send(alice, bob, 'one');
    await receive(bob, alice, first);
    expect(await codeOf(receive(bob, alice, first))).toBe('replayed');
    await receive(alice, bob, await send(bob, alice, 'two'));
    const third = await send(alice, bob, 'three');
    await receive(bob, alice, third);
    expect(await codeOf(receive(bob, alice, third))).toBe('replayed');
    expect(await codeOf(receive(bob, alice, first))).toBe('replayed');
  });

  it('reads messages in any order, up to 2,000 skipped', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    await receive(bob, alice, await send(alice, bob, 'hello'));
    await receive(alice, bob, await send(bob, alice, 'hello'));
    const [early, ...rest] = [await send(alice, bob, '0'), await send(alice, bob, '1'), await send(alice, bob, '2')];
    expect(await receive(bob, alice, rest[1]!)).toBe('2');
    expect(await receive(bob, alice, early!)).toBe('0');
    expect(await receive(bob, alice, rest[0]!)).toBe('1');
    for (let i = 3; i < 2004; i++) await send(alice, bob, String(i));
    const tooFar = await send(alice, bob, 'too far');
    expect(await codeOf(receive(bob, alice, tooFar))).toBe('too_far_ahead');
  });

  it('reads a message that is four chains late, and no later', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const late = [];
    for (let i = 0; i < 6; i++) {
      late.push(await send(alice, bob, `late ${i}`));
      await receive(bob, alice, await send(alice, bob, 'ping'));
      await receive(alice, bob, await send(bob, alice, 'pong'));
    }
    expect(await codeOf(receive(bob, alice, late[0]!))).toBe('tampered');
    for (const i of [1, 3, 2, 5, 4]) expect(await receive(bob, alice, late[i]!)).toBe(`late ${i}`);
    expect(await codeOf(receive(bob, alice, late[3]!))).toBe('replayed');
  });

  it('does not take its own message back', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    await receive(bob, alice, await send(alice, bob, 'one'));
    await receive(alice, bob, await send(bob, alice, 'two'));
    const own = await send(alice, bob, 'three');
    expect(await codeOf(receive(alice, bob, own))).toBe('tampered');
    expect(await receive(bob, alice, own)).toBe('three');
  });

  it('refuses what is no message', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const wrapped = await send(alice, bob, 'one');
    for (const body of ['', 'AA==', toBase64(new Uint8Array(200).fill(0x33)), wrapped.body.slice(0, -4)]) {
      expect(await codeOf(receive(bob, alice, { type: 'prekey', body }))).toBe('malformed');
      expect(await codeOf(receive(bob, alice, { type: 'message', body }))).toBe('malformed');
    }
    expect(await codeOf(receive(bob, alice, { ...wrapped, type: 'message' }))).toBe('malformed');
    expect(await receive(bob, alice, wrapped)).toBe('one');
  });

  it('refuses an added field that nothing authenticates', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const wrapped = await send(alice, bob, 'one');
    const body = fromBase64(wrapped.body);
    const longer = new Uint8Array([...body, 0x78, 0x01]);
    expect(await codeOf(receive(bob, alice, { ...wrapped, body: toBase64(longer) }))).toBe('malformed');
  });

  it('says when there is no session', async () => {
    const [alice, bob] = await pair();
    expect(await codeOf(send(alice, bob, 'hi'))).toBe('no_session');
    await connect(alice, bob);
    await receive(bob, alice, await send(alice, bob, 'one'));
    await receive(alice, bob, await send(bob, alice, 'two'));
    const wrapped = await send(alice, bob, 'three');
    bob.store.sessions.clear();
    expect(await codeOf(receive(bob, alice, wrapped))).toBe('no_session');
  });

  it('names a signed prekey that is no longer kept', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const wrapped = await send(alice, bob, 'hi');
    bob.store.signedPrekeys.clear();
    expect(await codeOf(receive(bob, alice, wrapped))).toBe('prekey_missing');
  });
});

describe('several sessions with one device', () => {
  it('works when both begin at once', async () => {
    const [alice, bob] = await pair();
    await Promise.all([connect(alice, bob), connect(bob, alice)]);
    const [fromAlice, fromBob] = [await send(alice, bob, 'a1'), await send(bob, alice, 'b1')];
    expect(await receive(alice, bob, fromBob)).toBe('b1');
    expect(await receive(bob, alice, fromAlice)).toBe('a1');
    for (let i = 0; i < 4; i++) {
      const crossing = [await send(alice, bob, `a${i}`), await send(bob, alice, `b${i}`)] as const;
      expect(await receive(bob, alice, crossing[0])).toBe(`a${i}`);
      expect(await receive(alice, bob, crossing[1])).toBe(`b${i}`);
    }
    expect(await receive(bob, alice, await send(alice, bob, 'then'))).toBe('then');
    expect(await receive(alice, bob, await send(bob, alice, 'settled'))).toBe('settled');
    expect((await send(alice, bob, 'x')).type).toBe('message');
  });

  it('keeps a bounded number and still refuses replays of the first message of a dropped one', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob, null);
    const first = await send(alice, bob, 'first');
    await receive(bob, alice, first);
    for (let i = 0; i < MAX_ARCHIVED_SESSIONS + 3; i++) {
      await connect(alice, bob, null);
      await receive(bob, alice, await send(alice, bob, `again ${i}`));
    }
    const record = JSON.parse(bob.store.sessions.get(addressKey(alice.address))!);
    expect(record.archived).toHaveLength(MAX_ARCHIVED_SESSIONS);
    expect(await codeOf(receive(bob, alice, first))).toBe('replayed');
  });

  it('refuses a bundle of another device', async () => {
    const [alice, bob] = await pair();
    const other = { ...bundleOf(bob), deviceId: alice.address.deviceId, userId: alice.address.userId };
    expect(await codeOf(startSession(alice.store, bob.address, other, bob.identityKey))).toBe('malformed');
    expect(await codeOf(startSession(alice.store, bob.address, bundleOf(bob), alice.identityKey))).toBe(
      'identity_changed',
    );
  });
});

it('a session with an identity that is no longer the listed one is not used', async () => {
  const [alice, bob, renewed] = [...(await pair()), await makeParty()] as const;
  await connect(alice, bob);
  await receive(bob, alice, await send(alice, bob, 'one'));
  await receive(alice, bob, await send(bob, alice, 'two'));
  const wrapped = await send(alice, bob, 'three');
  bob.store.identities.clear();
  const received = decryptFrom(bob.store, alice.address, wrapped, renewed.identityKey);
  expect(await codeOf(received)).toBe('identity_changed');
});

describe('changes', () => {
  it('are only returned, never written, and staged ones build on each other', async () => {
    const [alice, bob] = await pair();
    const staged = new StagedStore(alice.store);
    staged.stage(await startSession(staged, bob.address, bundleOf(bob), bob.identityKey));
    const wrapped = [];
    for (const text of ['one', 'two', 'three']) {
      const result = await encryptFor(staged, bob.address, utf8(text));
      staged.stage(result.changes);
      wrapped.push(result.wrapped);
    }
    expect(alice.store.sessions.size + alice.store.identities.size).toBe(0);
    const changes = staged.changes();
    expect([changes.sessions.length, changes.identities.length, changes.removedPrekeys.length]).toEqual([1, 1, 0]);

    const receiving = new StagedStore(bob.store);
    for (const message of wrapped) {
      const { changes: received } = await decryptFrom(receiving, alice.address, message, alice.identityKey);
      receiving.stage(received);
    }
    expect(bob.store.sessions.size).toBe(0);
    expect(bob.store.prekeys.size).toBe(100);
    const prekeyId = bob.device.newDevice.prekeys[0]!.keyId;
    expect(receiving.changes().removedPrekeys).toEqual([prekeyId]);
    expect(await receiving.loadPrekey(prekeyId)).toBeUndefined();
    bob.store.apply(receiving.changes());
    alice.store.apply(changes);
    expect(await receive(alice, bob, await send(bob, alice, 'four'))).toBe('four');
  });

  it('of a first message that is dropped leave its prekey in place', async () => {
    const [alice, bob] = await pair();
    await connect(alice, bob);
    const wrapped = await send(alice, bob, 'one');
    await decryptFrom(bob.store, alice.address, wrapped, alice.identityKey);
    expect(await receive(bob, alice, wrapped)).toBe('one');
  });
});
