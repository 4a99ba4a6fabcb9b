import { IDBKeyRange } from 'fake-indexeddb';
import { expect, test } from 'vitest';
import type { ProfileInfo } from './profile.ts';
import { Profiles } from './profiles.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

const EVIL = { origin: 'https://evil.example', first: null };
const CHALLENGE = Buffer.alloc(32).toString('base64');

async function reopened(ada: TestClient, home: { readonly origin: string; readonly first: string | null }) {
  await ada.vault.close();
  return ada.vault.open(null, home);
}

/** Takes from the stored profiles what earlier versions did not write. */
async function forgetOrigins(ada: TestClient): Promise<void> {
  await ada.vault.close();
  const profiles = await Profiles.load({ indexedDB: ada.disk, IDBKeyRange }, () => ada.time, null, HOME);
  const profile = await profiles.openLast();
  if (profile === null) throw new Error('no profile');
  await profiles.update(profile, { origin: undefined } as unknown as Partial<ProfileInfo>);
  profiles.close();
}

test('another server sees no account, no token and no signature of this device', async () => {
  const ada = await TestClient.signUp(new Relay(), 'ada');
  expect(await reopened(ada, EVIL)).toEqual({ kind: 'empty' });
  expect(await ada.vault.signInProof({ username: 'ada', challenge: CHALLENGE })).toBeNull();
  await expect(ada.vault.conversations()).rejects.toThrow('no account is open');
});

test('a server that answers with an account of another one gets a place of its own', async () => {
  const ada = await TestClient.signUp(new Relay(), 'ada');
  await reopened(ada, EVIL);
  const own = ada.address.deviceId;
  const { link } = await ada.askToBeLinked(true);
  expect(link.device.deviceId).not.toBe(own);
  expect(await reopened(ada, HOME)).toMatchObject({ kind: 'ready', deviceId: own });
});

test('a signature for one server is none for another', async () => {
  const ada = await TestClient.signUp(new Relay(), 'ada');
  const proof = await ada.vault.signInProof({ username: 'ada', challenge: CHALLENGE });
  await forgetOrigins(ada);
  await reopened(ada, EVIL);
  const other = await ada.vault.signInProof({ username: 'ada', challenge: CHALLENGE });
  expect(other?.deviceId).toBe(proof?.deviceId);
  expect(other?.proof).not.toBe(proof?.proof);
});

test('a profile of an earlier version stays with the server that the app had', async () => {
  const ada = await TestClient.signUp(new Relay(), 'ada');
  await forgetOrigins(ada);
  expect(await reopened(ada, { origin: EVIL.origin, first: HOME.origin })).toEqual({ kind: 'empty' });
  expect(await reopened(ada, HOME)).toMatchObject({ kind: 'ready', session: 'A'.repeat(43) });
});

test('a profile of an earlier version whose server is not known loses its token', async () => {
  const ada = await TestClient.signUp(new Relay(), 'ada');
  await forgetOrigins(ada);
  expect(await reopened(ada, EVIL)).toMatchObject({ kind: 'ready', session: null });
});
