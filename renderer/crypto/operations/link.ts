import { linkCode } from '../../../crypto/identity/link-code.ts';
import type { Account } from '../../../protocol/accounts.ts';
import type { NewDevice, SignedDeviceList } from '../../../protocol/devices.ts';
import { Batch } from '../batch.ts';
import { pinList } from '../peers.ts';
import { deviceOf, readSecret, sealSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { Profiles } from '../profiles.ts';
import type { PreparedLink, Standing } from '../vault.ts';
import { makeDevice } from './make-device.ts';
import { openOutboxItem, sealOutboxItem } from './outbox-items.ts';
import { newIdempotencyId } from './sign-up.ts';
import { standingOf } from './standing.ts';

export interface LinkInput {
  readonly account: Account;
  readonly session: string;
  readonly deviceName: string;
  readonly replaceDevice: boolean;
}

/** See `Vault.prepareLink`. */
export async function prepareLink(profiles: Profiles, input: LinkInput): Promise<PreparedLink> {
  const { account, session } = input;
  const { userId, username } = account;
  const profile =
    (await profiles.openWhere((info) => info.userId === userId)) ??
    (await profiles.create({ username, userId, phase: 'linking', account, session }));
  const known = profile.info.phase === 'linking' && !input.replaceDevice;
  const device =
    (known ? await readSecret<NewDevice>(profile, 'link') : null) ?? (await newKeys(profile, input.deviceName));
  await profiles.update(profile, { account, session, username, phase: 'linking', chosenAt: profile.now() });
  return { idempotencyId: newIdempotencyId(), device, code: await linkCode(device, userId) };
}

async function newKeys(profile: Profile, name: string): Promise<NewDevice> {
  const batch = new Batch(profile);
  const device = await makeDevice(profile, batch, name);
  const row = await sealSecret(profile, 'link', device);
  batch.write((db) => db.secrets.put(row));
  await unsealOutbox(profile, batch);
  await batch.commit();
  return device;
}

/** What was sealed as another device has to be sealed again. */
async function unsealOutbox(profile: Profile, batch: Batch): Promise<void> {
  for (const row of await profile.db.outbox.toArray()) {
    const item = await openOutboxItem(profile, row);
    const sealed = await sealOutboxItem(profile, row.messageId, { ...item, params: null });
    batch.write((db) => db.outbox.put({ ...row, sealed }));
  }
}

/**
 * See `Vault.completeLink`. The account key of the first list is trusted as it comes: that it is the account's is known to
 * the person, who has compared the code on the device that signed it.
 */
export async function completeLink(
  profiles: Profiles,
  profile: Profile,
  signed: SignedDeviceList,
): Promise<Standing | null> {
  if (profile.info.phase !== 'linking') return null;
  const { userId } = profile.info;
  const { deviceId, identity, authentication } = deviceOf(profile);
  const batch = new Batch(profile);
  await pinList(profile, batch, userId, signed);
  await batch.commit();
  const listed = profile.peers.get(userId)?.list.devices.find((device) => device.deviceId === deviceId);
  if (listed?.identityKey !== identity.publicKey || listed.authenticationKey !== authentication.publicKey) return null;
  await profiles.update(profile, { phase: 'ready' });
  await profile.db.secrets.delete('link');
  return standingOf(profile);
}

/** See `Vault.abandonLink`. A history from before stays; it comes back with the next sign-in. */
export async function abandonLink(profiles: Profiles, profile: Profile): Promise<void> {
  if (profile.info.phase !== 'linking') return;
  if ((await profile.db.messages.count()) === 0) await profiles.remove(profile);
  else await profiles.update(profile, { phase: 'ready', session: null });
}
