import { fromBase64 } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/crypto-error.ts';
import { verifyDeviceList } from '../../../crypto/identity/account-key.ts';
import type { DeviceSecrets, GeneratedDevice } from '../../../crypto/identity/device-keys.ts';
import { linkCode } from '../../../crypto/identity/link-code.ts';
import type { Account } from '../../../protocol/accounts.ts';
import type { DeviceList, SignedDeviceList } from '../../../protocol/devices.ts';
import { Batch } from '../batch.ts';
import { putPeer } from '../peers.ts';
import { readIntactSecret, sealSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { Profiles } from '../profiles.ts';
import type { LinkOutcome, PreparedLink, Standing } from '../vault.ts';
import { holdsAccountKey } from './account-key.ts';
import { newDevice, writeDevice } from './make-device.ts';
import { openOutboxItem, sealOutboxItem } from './outbox-items.ts';
import { newIdempotencyId } from './sign-up.ts';
import { standingOf } from './standing.ts';

/** A request to be linked. Its keys are kept apart from those of the device that is here already, if there is one. */
interface PendingLink {
  readonly generated: GeneratedDevice;
  /** The account key that the code was made with, base64; this one and no other is pinned. */
  readonly accountKey: string;
}

/** See `Vault.beginLink`. */
export async function beginLink(
  profiles: Profiles,
  input: { readonly account: Account; readonly session: string; readonly replaceDevice: boolean },
): Promise<Standing> {
  const { account, session, replaceDevice } = input;
  const { userId, username } = account;
  const profile =
    (await profiles.openWhere((info) => info.userId === userId)) ??
    (await profiles.create({ username, userId, phase: 'linking', account, session }));
  const { phase } = profile.info;
  if (phase !== 'linking' && phase !== 'receiving') {
    if (!replaceDevice) throw new Error('this device has keys of the account already');
    if (await holdsAccountKey(profile)) throw new Error('the device that holds the account key cannot be replaced');
  }
  // A request that was given up, and what came of its hand-over, is of no use to the next one.
  if (phase !== 'linking') await profile.db.secrets.delete('link');
  const change = { account, session, username, chosenAt: profile.now() };
  await profiles.update(profile, { ...change, phase: phase === 'receiving' && !replaceDevice ? phase : 'linking' });
  return standingOf(profile);
}

/** See `Vault.prepareLink`. */
export async function prepareLink(
  profile: Profile,
  input: { readonly deviceName: string; readonly list: SignedDeviceList },
): Promise<PreparedLink | null> {
  const { userId } = profile.info;
  if (profile.info.phase !== 'linking') throw new Error('this device does not wait to be linked');
  const stored = await readPending(profile);
  const list = await verifyOwn(profile, input.list, stored?.accountKey);
  if (list === null) return null;
  const pending = stored ?? {
    generated: await newDevice(profile, input.deviceName),
    accountKey: input.list.accountKey,
  };
  if (stored === null) await profile.db.secrets.put(await sealSecret(profile, 'link', pending));
  const { accountKey } = pending;
  const device = pending.generated.newDevice;
  return { idempotencyId: newIdempotencyId(), device, code: await linkCode({ device, userId, accountKey }) };
}

/** Earlier versions stored the public half alone: such a request is made anew, and so is one that is damaged. */
async function readPending(profile: Profile): Promise<PendingLink | null> {
  const stored = await readIntactSecret<Partial<PendingLink>>(profile, 'link');
  const { generated, accountKey } = stored ?? {};
  return generated === undefined || accountKey === undefined ? null : { generated, accountKey };
}

/** The account's own list, if it is signed by this account key and not older than one seen; null if not. */
async function verifyOwn(profile: Profile, signed: SignedDeviceList, accountKey?: string): Promise<DeviceList | null> {
  const { userId } = profile.info;
  try {
    return await verifyDeviceList(signed, {
      userId,
      known: profile.peers.get(userId)?.signed,
      pinnedAccountKey: accountKey === undefined ? undefined : fromBase64(accountKey),
      now: profile.now(),
    });
  } catch (error) {
    if (CryptoError.is(error)) return null;
    throw error;
  }
}

/**
 * See `Vault.completeLink`. Exactly the account key that the code was made with is pinned, and only by a list that names
 * this device with its keys.
 */
export async function completeLink(
  profiles: Profiles,
  profile: Profile,
  signed: SignedDeviceList,
): Promise<LinkOutcome> {
  if (profile.info.phase !== 'linking') return { kind: 'linked', standing: standingOf(profile) };
  const pending = await readPending(profile);
  const { userId } = profile.info;
  // Without a request: its keys were made this device's own already, and the registry was not told any more.
  const accountKey = pending?.accountKey ?? profile.peers.get(userId)?.signed.accountKey;
  const secrets = pending?.generated.secrets ?? profile.device;
  if (accountKey === undefined || secrets === null) return { kind: 'refused' };
  const list = await verifyOwn(profile, signed, accountKey);
  if (list === null) return { kind: 'refused' };
  if (!names(list, secrets)) return { kind: 'waiting' };
  const batch = new Batch(profile);
  if (pending !== null) {
    await writeDevice(profile, batch, pending.generated);
    await unsealOutbox(profile, batch);
  }
  await putPeer(profile, batch, userId, { signed, list, problem: null });
  batch.write((db) => db.secrets.delete('link'));
  // What came for a device that this one replaces is not for this one.
  batch.write((db) => db.secrets.where('name').startsWith('hand-over/').delete());
  await batch.commit();
  await profiles.update(profile, { phase: 'receiving' });
  return { kind: 'linked', standing: standingOf(profile) };
}

/** What was sealed as another device has to be sealed again. */
async function unsealOutbox(profile: Profile, batch: Batch): Promise<void> {
  for (const row of await profile.db.outbox.toArray()) {
    const item = await openOutboxItem(profile, row);
    if (item === null) continue;
    const sealed = await sealOutboxItem(profile, row.messageId, { ...item, params: null });
    batch.write((db) => db.outbox.put({ ...row, sealed }));
  }
}

/**
 * See `Vault.abandonLink`. Keys and history from before stay; they come back with the next sign-in. A device that was
 * linked, but got no pins, goes on waiting for them.
 */
export async function abandonLink(profiles: Profiles, profile: Profile): Promise<void> {
  const { phase } = profile.info;
  if (phase !== 'linking' && phase !== 'receiving') return;
  await profile.db.secrets.delete('link');
  if (await isWorthless(profile)) await profiles.remove(profile);
  else await profiles.update(profile, { phase: phase === 'linking' ? 'ready' : phase, session: null });
}

/** Neither a history, nor the account key, nor keys that an earlier list has named. */
async function isWorthless(profile: Profile): Promise<boolean> {
  const { db, device, info, peers } = profile;
  if ((await db.messages.count()) > 0 || (await holdsAccountKey(profile))) return false;
  const list = peers.get(info.userId)?.list;
  return info.phase === 'receiving' || device === null || list === undefined || !names(list, device);
}

/** See `Vault.deviceHeld`. */
export async function deviceHeld(profiles: Profiles, username: string): Promise<'none' | 'device' | 'key-holder'> {
  const profile = await profiles.openWhere((info) => info.username === username);
  if (profile === null || profile.device === null) return 'none';
  return (await holdsAccountKey(profile)) ? 'key-holder' : 'device';
}

function names(list: DeviceList, { deviceId, identity, authentication }: DeviceSecrets): boolean {
  const listed = list.devices.find((device) => device.deviceId === deviceId);
  return listed?.identityKey === identity.publicKey && listed.authenticationKey === authentication.publicKey;
}
