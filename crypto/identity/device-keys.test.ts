import { beforeAll, expect, it } from 'vitest';
import { signInProofText } from '../../protocol/accounts.ts';
import { NewDevice } from '../../protocol/devices.ts';
import type { DeviceId, UserId } from '../../protocol/ids.ts';
import { fromBase64, utf8 } from '../bytes.ts';
import { isSignedByIdentity } from '../sessions/curve.ts';
import { codeOf, randomUserId } from '../testing/party.ts';
import {
  generateDevice,
  generatePrekeys,
  generateSignedPrekey,
  loadKeyPair,
  publicPrekey,
  publicSignedPrekey,
  signSignInProof,
} from './device-keys.ts';
import type { GeneratedDevice } from './device-keys.ts';
import { linkCode } from './link-code.ts';

let device: GeneratedDevice;
beforeAll(async () => {
  device = await generateDevice({ deviceId: 77 as DeviceId, name: 'Study', now: 123 });
});

it('makes a device whose public half is what the server takes, and no more', () => {
  const parsed = NewDevice.parse(device.newDevice);
  expect(parsed.prekeys).toHaveLength(100);
  expect(new Set(parsed.prekeys.map(({ publicKey }) => publicKey)).size).toBe(100);
  const text = JSON.stringify(device.newDevice);
  for (const pair of [device.secrets.identity, device.secrets.authentication, device.signedPrekey, ...device.prekeys]) {
    expect(text).toContain(pair.publicKey);
    expect(text).not.toContain(pair.privateKey);
  }
});

it('keeps secrets that survive JSON', () => {
  const { secrets } = JSON.parse(JSON.stringify(device)) as GeneratedDevice;
  expect(loadKeyPair(secrets.identity)).toEqual(loadKeyPair(device.secrets.identity));
  expect(device.signedPrekey.createdAt).toBe(123);
});

it('numbers prekeys consecutively, wraps, and says where to go on', async () => {
  const first = device.prekeys[0]!.keyId;
  expect(device.prekeys.map(({ keyId }) => keyId)).toEqual(
    device.prekeys.map((_, i) => (first + i > 0xffffff ? first + i - 0xffffff : first + i)),
  );
  expect((await generatePrekeys(device.nextPrekeyId, 1)).prekeys[0]!.keyId).toBe(device.nextPrekeyId);
  for (const bad of [0, -1, 1.5, 0x1000000, NaN]) expect(await codeOf(generatePrekeys(bad, 1))).toBe('malformed');
  expect(Object.keys(publicPrekey(device.prekeys[0]!))).toEqual(['keyId', 'publicKey']);
});

it('signs its signed prekey with its identity', async () => {
  const signedPrekey = await generateSignedPrekey(device.secrets, 5, 1);
  expect(Object.keys(publicSignedPrekey(signedPrekey))).toEqual(['keyId', 'publicKey', 'signature']);
  const identity = fromBase64(device.newDevice.identityKey);
  const signature = fromBase64(signedPrekey.signature);
  expect(await isSignedByIdentity(identity, fromBase64(signedPrekey.publicKey), signature)).toBe(true);
  expect(await isSignedByIdentity(identity, fromBase64(device.signedPrekey.publicKey), signature)).toBe(false);
  expect(await codeOf(generateSignedPrekey(device.secrets, 0, 1))).toBe('malformed');
});

it('proves a sign-in for this server, this challenge, this name and this device', async () => {
  const proof = fromBase64(await signSignInProof(device.secrets, 'https://a', 'challenge', 'ada'));
  const raw = fromBase64(device.newDevice.authenticationKey);
  const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
  const verify = (text: string) => crypto.subtle.verify('Ed25519', key, proof, utf8(text));
  expect(await verify(signInProofText('https://a', 'challenge', 'ada', 77))).toBe(true);
  expect(await verify(signInProofText('https://a', 'challenge', 'ada', 78))).toBe(false);
  expect(await verify(signInProofText('https://a', 'Challenge', 'ada', 77))).toBe(false);
  expect(await verify(signInProofText('https://b', 'challenge', 'ada', 77))).toBe(false);
});

it('has a link code that people can compare and that changes with every part', async () => {
  const userId = randomUserId();
  const { publicKey: accountKey } = device.secrets.authentication;
  const same = { device: device.newDevice, userId, accountKey };
  const code = await linkCode(same);
  expect(code).toMatch(/^\d{5}( \d{5}){5}$/);
  expect(await linkCode(same)).toBe(code);
  const other = await generateDevice({ deviceId: 77 as DeviceId, name: 'Study', now: 123 });
  const { identityKey, authenticationKey } = other.newDevice;
  const codes = [
    await linkCode({ ...same, userId: randomUserId() }),
    await linkCode({ ...same, accountKey: authenticationKey }),
    await linkCode({ ...same, device: { ...device.newDevice, deviceId: 78 as DeviceId } }),
    await linkCode({ ...same, device: { ...device.newDevice, identityKey } }),
    await linkCode({ ...same, device: { ...device.newDevice, authenticationKey } }),
  ];
  expect(new Set([code, ...codes]).size).toBe(6);
});

it('keeps the link code of fixed keys, since two versions of the app must show the same', async () => {
  const key = (length: number, fill: number) => Buffer.alloc(length, fill).toString('base64');
  const fixed = { deviceId: 1 as DeviceId, identityKey: key(33, 5), authenticationKey: key(32, 7) };
  const userId = '11111111-2222-4333-8444-555555555555' as UserId;
  const code = await linkCode({ device: fixed, userId, accountKey: key(32, 9) });
  expect(code).toMatchInlineSnapshot(`"08593 77564 12159 15724 92395 77026"`);
});
