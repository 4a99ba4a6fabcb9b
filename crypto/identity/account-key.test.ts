import { beforeAll, describe, expect, it } from 'vitest';
import { deviceListText } from '../../protocol/devices.ts';
import type { DeviceList, SignedDeviceList } from '../../protocol/devices.ts';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { codeOf, listOf, makeParty, randomUserId } from '../testing/party.ts';
import type { Party } from '../testing/party.ts';
import {
  exportAccountKey,
  generateAccountKey,
  importAccountKey,
  signDeviceList,
  verifyDeviceList,
} from './account-key.ts';
import type { AccountKey } from './account-key.ts';

let accountKey: AccountKey;
let list: DeviceList;
let signed: SignedDeviceList;
let parties: [Party, Party];
const userId = randomUserId();

beforeAll(async () => {
  accountKey = await generateAccountKey();
  parties = await Promise.all([makeParty(), makeParty()]);
  list = listOf(userId, parties[0]);
  signed = await signDeviceList(accountKey, list);
});

const sign = (changes: Partial<DeviceList>) => signDeviceList(accountKey, { ...list, ...changes });

/** Signs text that is no valid list, as a faulty or hostile client could. */
async function signText(payload: string): Promise<SignedDeviceList> {
  const signature = await crypto.subtle.sign('Ed25519', accountKey.privateKey, utf8(deviceListText(payload)));
  return { accountKey: toBase64(accountKey.publicKey), payload, signature: toBase64(new Uint8Array(signature)) };
}

describe('a device list', () => {
  it('passes with the right signature', async () => {
    expect(await verifyDeviceList(signed, { userId })).toEqual(list);
    const { publicKey: pinnedAccountKey } = accountKey;
    expect(await verifyDeviceList(signed, { userId, pinnedAccountKey, minimumVersion: 1, known: signed })).toEqual(
      list,
    );
  });

  it('is refused if any character or bit was changed', async () => {
    const payload = signed.payload.replace('Laptop', 'Lapdog');
    expect(await codeOf(verifyDeviceList({ ...signed, payload }, { userId }))).toBe('signature_invalid');
    const signature = fromBase64(signed.signature);
    for (const i of [0, 31, 32, 63]) {
      const flipped = signature.slice();
      flipped[i]! ^= 0x10;
      const forged = { ...signed, signature: toBase64(flipped) };
      expect(await codeOf(verifyDeviceList(forged, { userId }))).toBe('signature_invalid');
    }
  });

  it('is refused if another account key signed it', async () => {
    const forged = await signDeviceList(await generateAccountKey(), list);
    const code = (expectation: object) => codeOf(verifyDeviceList(forged, { userId, ...expectation }));
    expect(await code({ pinnedAccountKey: accountKey.publicKey })).toBe('account_key_changed');
    expect(await code({ known: signed })).toBe('account_key_changed');
    expect(await codeOf(verifyDeviceList({ ...forged, accountKey: signed.accountKey }, { userId }))).toBe(
      'signature_invalid',
    );
  });

  // The neutral element as R and S = 0 satisfy the equation of RFC 8032 for such a key and some or every message.
  it.each([
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
  ])('is refused with the account key %s, for which anybody can sign', async (hex) => {
    const signature = new Uint8Array(64);
    signature[0] = 1;
    for (const sign of [0, 0x80]) {
      const key = Uint8Array.from(Buffer.from(hex, 'hex'));
      key[31]! |= sign;
      const forged = { ...signed, accountKey: toBase64(key), signature: toBase64(signature) };
      expect(await codeOf(verifyDeviceList(forged, { userId }))).toBe('key_weak');
    }
  });

  it('is refused as another account’s', async () => {
    expect(await codeOf(verifyDeviceList(signed, { userId: randomUserId() }))).toBe('list_wrong_user');
  });

  it('is refused when older than one seen', async () => {
    const newer = await sign({ version: 5 });
    expect(await codeOf(verifyDeviceList(signed, { userId, known: newer }))).toBe('list_outdated');
    expect(await codeOf(verifyDeviceList(signed, { userId, minimumVersion: 2 }))).toBe('list_outdated');
    expect((await verifyDeviceList(newer, { userId, known: signed })).version).toBe(5);
  });

  it('is refused when it says something else under the same version', async () => {
    const other = await sign({ issuedAt: 1 });
    expect(await codeOf(verifyDeviceList(other, { userId, known: signed }))).toBe('list_conflict');
  });

  it('is refused when a device or a key is on it twice', async () => {
    const [first, second] = listOf(userId, ...parties).devices as [DeviceList['devices'][0], DeviceList['devices'][0]];
    const distinct = { ...second, deviceId: (first.deviceId + 1) as typeof first.deviceId };
    expect((await sign({ devices: [first, distinct] })).payload).toContain(distinct.identityKey);
    const doubled = [
      { ...distinct, deviceId: first.deviceId },
      { ...distinct, identityKey: first.identityKey },
      { ...distinct, authenticationKey: first.authenticationKey },
    ];
    for (const device of doubled) {
      const devices = [first, device];
      expect(await codeOf(sign({ devices }))).toBe('list_duplicate');
      const forged = await signText(JSON.stringify({ ...list, devices }));
      expect(await codeOf(verifyDeviceList(forged, { userId }))).toBe('list_duplicate');
    }
  });

  it('is refused when it is none', async () => {
    const payloads = [
      '',
      'null',
      '{',
      JSON.stringify({ ...list, devices: [] }),
      JSON.stringify({ ...list, admin: true }),
    ];
    for (const payload of payloads) {
      expect(await codeOf(verifyDeviceList(await signText(payload), { userId }))).toBe('malformed');
    }
    expect(await codeOf(verifyDeviceList({ ...signed, signature: 'AAAA' }, { userId }))).toBe('malformed');
    expect(await codeOf(sign({ version: 0 }))).toBe('malformed');
  });

  it('does not accept a signature made for another purpose', async () => {
    const signature = await crypto.subtle.sign('Ed25519', accountKey.privateKey, utf8(signed.payload));
    const forged = { ...signed, signature: toBase64(new Uint8Array(signature)) };
    expect(await codeOf(verifyDeviceList(forged, { userId }))).toBe('signature_invalid');
  });
});

describe('an account key', () => {
  it('cannot be read out unless made for it', async () => {
    expect(accountKey.publicKey).toHaveLength(32);
    expect(accountKey.privateKey.extractable).toBe(false);
    expect(await codeOf(exportAccountKey(accountKey))).toBe('malformed');
  });

  it('moves to another device in its exported form', async () => {
    const original = await generateAccountKey({ extractable: true });
    const moved = await importAccountKey(await exportAccountKey(original), original.publicKey);
    expect(moved.privateKey.extractable).toBe(false);
    const { accountKey: key } = await signDeviceList(moved, list);
    expect(key).toBe(toBase64(original.publicKey));
    expect(await verifyDeviceList(await signDeviceList(moved, list), { userId })).toEqual(list);
    const exported = await exportAccountKey(original);
    expect(await codeOf(importAccountKey(exported, accountKey.publicKey))).toBe('signature_invalid');
    expect(await codeOf(importAccountKey(utf8('nonsense'), accountKey.publicKey))).toBe('malformed');
  });
});
