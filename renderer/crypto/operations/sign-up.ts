import { toBase64 } from '../../../crypto/bytes.ts';
import { exportAccountKey, generateAccountKey, signDeviceList } from '../../../crypto/identity/account-key.ts';
import type { AccountKey } from '../../../crypto/identity/account-key.ts';
import { signProfile } from '../../../crypto/identity/signed-profile.ts';
import type { DeviceList, NewDevice, SignedDeviceList } from '../../../protocol/devices.ts';
import { IdempotencyId, UserId } from '../../../protocol/ids.ts';
import type { SignedProfile } from '../../../protocol/profile.ts';
import { Batch } from '../batch.ts';
import { makeDevice } from './make-device.ts';
import { loadAccountKey } from './account-key.ts';
import type { StoredAccountKey } from './account-key.ts';
import { putPeer } from '../peers.ts';
import { pinWrite, readPin } from '../pins.ts';
import { readSecret, sealSecret } from '../profile.ts';
import type { Pin, Profile } from '../profile.ts';
import type { Profiles } from '../profiles.ts';
import type { PreparedSignUp } from '../vault.ts';

/** A sign-up under way, stored before it is sent: a repeat must be the very same request. */
interface PendingSignUp {
  readonly invitation: string;
  readonly displayName: string;
  readonly request: PreparedSignUp;
}

export interface SignUpInput {
  readonly invitation: string;
  readonly username: string;
  readonly displayName: string;
  readonly deviceName: string;
}

/** Makes the account's keys, or finds those of an earlier attempt under that name. See `Vault.prepareSignUp`. */
export async function prepareSignUp(profiles: Profiles, input: SignUpInput): Promise<PreparedSignUp> {
  const { invitation, username, displayName, deviceName } = input;
  const profile =
    (await profiles.openWhere((info) => info.username === username && info.phase === 'signing-up')) ??
    (await profiles.create({ username, userId: newUserId(), phase: 'signing-up', account: null, session: null }));
  const pending = await readSecret<PendingSignUp>(profile, 'sign-up');
  if (pending === null) {
    return makeKeys(profile, { invitation, displayName, deviceName });
  }
  if (pending.invitation === invitation && pending.displayName === displayName) return pending.request;
  if (pending.displayName === displayName) return renew(profile, { ...pending, invitation });
  return rename(profile, { ...pending, invitation, displayName });
}

/** The next attempt is another request, with the same keys. */
export async function signUpRefused(profile: Profile): Promise<void> {
  const pending = await readSecret<PendingSignUp>(profile, 'sign-up');
  if (pending !== null) await renew(profile, pending);
}

/** Another name than in the attempt before: signed again, as a later version. */
async function rename(profile: Profile, pending: PendingSignUp): Promise<PreparedSignUp> {
  const accountKey = await loadAccountKey(profile);
  if (accountKey === null) throw new Error('a sign-up has lost its account key');
  const { userId, username } = profile.info;
  const version = ((await readPin(profile, userId))?.name?.version ?? 0) + 1;
  const batch = new Batch(profile);
  const signed = await firstProfile(profile, batch, accountKey, {
    username,
    displayName: pending.displayName,
    version,
  });
  await batch.commit();
  return renew(profile, { ...pending, request: { ...pending.request, profile: signed } });
}

async function renew(profile: Profile, pending: PendingSignUp): Promise<PreparedSignUp> {
  const request = { ...pending.request, idempotencyId: newIdempotencyId() };
  await profile.db.secrets.put(await sealSecret(profile, 'sign-up', { ...pending, request }));
  return request;
}

async function makeKeys(
  profile: Profile,
  input: { readonly invitation: string; readonly displayName: string; readonly deviceName: string },
): Promise<PreparedSignUp> {
  const { userId } = profile.info;
  const batch = new Batch(profile);
  const device = await makeDevice(profile, batch, input.deviceName);
  const accountKey = await generateAccountKey({ extractable: true });
  const { signed, list } = await firstList(profile, accountKey, device);
  const names = { username: profile.info.username, displayName: input.displayName, version: 1 };
  const signedProfile = await firstProfile(profile, batch, accountKey, names);
  const shared = { userId, idempotencyId: newIdempotencyId() };
  const request: PreparedSignUp = { ...shared, device, deviceList: signed, profile: signedProfile };
  const pending: PendingSignUp = { invitation: input.invitation, displayName: input.displayName, request };
  const stored: StoredAccountKey = {
    publicKey: toBase64(accountKey.publicKey),
    privateKey: toBase64(await exportAccountKey(accountKey)),
  };
  const rows = [await sealSecret(profile, 'account', stored), await sealSecret(profile, 'sign-up', pending)];
  batch.write((db) => db.secrets.bulkPut(rows));
  await putPeer(profile, batch, userId, { signed, list, problem: null });
  await batch.commit();
  return request;
}

/** Signs what the account is called, and pins it as what others are to be shown. */
async function firstProfile(
  profile: Profile,
  batch: Batch,
  accountKey: AccountKey,
  {
    username,
    displayName,
    version,
  }: { readonly username: string; readonly displayName: string; readonly version: number },
): Promise<SignedProfile> {
  const { userId } = profile.info;
  const signed = await signProfile(accountKey, { userId, username, displayName, version, issuedAt: profile.now() });
  const pin: Pin = { accountKey: null, listVersion: 0, name: { version, username, displayName, signed } };
  batch.write(pinWrite(profile, new Map([[userId, pin]])));
  return signed;
}

async function firstList(
  profile: Profile,
  accountKey: AccountKey,
  device: NewDevice,
): Promise<{ readonly signed: SignedDeviceList; readonly list: DeviceList }> {
  const { deviceId, identityKey, authenticationKey, name } = device;
  const addedAt = profile.now();
  const devices = [{ deviceId, identityKey, authenticationKey, name, addedAt }];
  const list: DeviceList = { userId: profile.info.userId, version: 1, issuedAt: addedAt, devices };
  return { signed: await signDeviceList(accountKey, list), list };
}

function newUserId(): UserId {
  return UserId.parse(crypto.randomUUID());
}

export function newIdempotencyId(): IdempotencyId {
  return IdempotencyId.parse(crypto.randomUUID());
}
