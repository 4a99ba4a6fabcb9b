import type { ListedDevice } from '../../../protocol/devices.ts';
import { MAX_PARTS, PINS_PER_PART } from '../../../protocol/hand-over.ts';
import type { HandedPin, HandOverContent } from '../../../protocol/hand-over.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import { pinWrite, readPins } from '../pins.ts';
import { accountKeyOf, deviceOf, readIntactSecret, sealSecret } from '../profile.ts';
import type { Pin, Profile } from '../profile.ts';
import type { Profiles } from '../profiles.ts';
import { newMessageId } from '../queued-message.ts';
import type { Standing } from '../vault.ts';
import { enqueueContent } from './enqueue.ts';
import { standingOf } from './standing.ts';

/** A device that was approved and has yet to be given what this one has pinned. */
type Due = Pick<ListedDevice, 'deviceId' | 'identityKey'>;
const MAX_DUE = 16;

/** What came of a hand-over: one row for each part. */
interface PartRecord {
  readonly handOverId: string;
  readonly parts: number;
}

/** Notes before the list is sent that its new device is to get a hand-over, so that no crash can lose it. */
export async function noteHandOverDue(profile: Profile, { deviceId, identityKey }: Due): Promise<void> {
  const due = (await readIntactSecret<readonly Due[]>(profile, 'hand-over-due')) ?? [];
  const others = due.filter((device) => device.deviceId !== deviceId);
  const noted = [...others, { deviceId, identityKey }].slice(-MAX_DUE);
  await profile.db.secrets.put(await sealSecret(profile, 'hand-over-due', noted));
}

/** Puts the hand-overs that are due to devices on the own pinned list into the outbox. */
export async function enqueueHandOvers(profile: Profile): Promise<void> {
  const due = await readIntactSecret<readonly Due[]>(profile, 'hand-over-due');
  if (due === null || due.length === 0) return;
  const listed = profile.peers.get(profile.info.userId)?.list.devices ?? [];
  const isListed = ({ deviceId, identityKey }: Due) =>
    listed.some((device) => device.deviceId === deviceId && device.identityKey === identityKey);
  const ready = due.filter(isListed);
  if (ready.length === 0) return;
  const batch = new Batch(profile);
  const pins = await pinsToHandOver(profile);
  for (const device of ready) await enqueueParts(profile, batch, device, pins);
  const left = await sealSecret(
    profile,
    'hand-over-due',
    due.filter((device) => !ready.includes(device)),
  );
  batch.write((db) => db.secrets.put(left));
  await batch.commit();
}

async function enqueueParts(profile: Profile, batch: Batch, device: Due, pins: readonly HandedPin[]): Promise<void> {
  const { userId } = profile.info;
  const handOverId = crypto.randomUUID();
  // An empty one says that there is nothing to wait for.
  const parts = Math.max(1, Math.ceil(pins.length / PINS_PER_PART));
  for (let part = 0; part < parts; part += 1) {
    const some = pins.slice(part * PINS_PER_PART, (part + 1) * PINS_PER_PART);
    const content: HandOverContent = { kind: 'hand-over', ...device, handOverId, part, parts, pins: [...some] };
    const sentAt = profile.now();
    await enqueueContent(profile, batch, newMessageId(sentAt), { version: 1, conversation: userId, sentAt, content });
  }
}

/** Everybody of whom anything is pinned, but the account itself: its key is what the code was made with. */
async function pinsToHandOver(profile: Profile): Promise<HandedPin[]> {
  const { db, peers, info } = profile;
  const pinned = await db.pins.toCollection().primaryKeys();
  const users = [...new Set([...peers.keys(), ...pinned])].filter((userId) => userId !== info.userId);
  const pins = await readPins(profile, users);
  // Those with whom keys were exchanged go first, should there ever be more people than a hand-over holds.
  return users
    .slice(0, MAX_PARTS * PINS_PER_PART)
    .map((userId) => handedPin(profile, userId, pins.get(userId) ?? null));
}

function handedPin(profile: Profile, userId: UserId, pin: Pin | null): HandedPin {
  const listVersion = Math.max(profile.peers.get(userId)?.list.version ?? 0, pin?.listVersion ?? 0);
  const { name } = pin ?? { name: null };
  return {
    userId,
    accountKey: accountKeyOf(profile, userId, pin),
    listVersion: Math.min(listVersion, 0x7fffffff),
    name: name && {
      version: name.version,
      username: name.username,
      displayName: name.displayName.toWellFormed(),
    },
  };
}

/**
 * Takes a part of a hand-over into the batch, on the device that waits for one. Anything else is passed over: a copy of
 * another device's, an old one, one that comes after this device was let in.
 */
export async function takeHandOver(profile: Profile, batch: Batch, content: HandOverContent): Promise<void> {
  if (profile.info.phase !== 'receiving') return;
  const { deviceId, identity } = deviceOf(profile);
  if (content.deviceId !== deviceId || content.identityKey !== identity.publicKey) return;
  if (content.part >= content.parts) return;
  const others = content.pins.filter(({ userId }) => userId !== profile.info.userId);
  const known = await readPins(profile, [...new Set(others.map(({ userId }) => userId))]);
  const pins = new Map(others.map((handed) => [handed.userId, merged(known.get(handed.userId) ?? null, handed)]));
  batch.write(pinWrite(profile, pins));
  const record: PartRecord = { handOverId: content.handOverId, parts: content.parts };
  const row = await sealSecret(profile, `hand-over/${content.part}`, record);
  batch.write((db) => db.secrets.put(row));
}

/** What this device has seen itself, in an earlier life, is not overwritten. */
function merged(known: Pin | null, handed: HandedPin): Pin {
  const newer = (known?.name?.version ?? -1) < (handed.name?.version ?? -1);
  return {
    accountKey: known?.accountKey ?? handed.accountKey,
    listVersion: Math.max(known?.listVersion ?? 0, handed.listVersion),
    name: newer ? handed.name : (known?.name ?? null),
  };
}

/** See `Vault.completeHandOver`. */
export async function completeHandOver(profiles: Profiles, profile: Profile): Promise<Standing> {
  if (profile.info.phase !== 'receiving') return standingOf(profile);
  const names = (await profile.db.secrets.toCollection().primaryKeys()).filter((name) => name.startsWith('hand-over/'));
  const records = await Promise.all(names.map((name) => readIntactSecret<PartRecord>(profile, name)));
  const parts = Map.groupBy(
    records.filter((record) => record !== null),
    ({ handOverId }) => handOverId,
  );
  if (![...parts.values()].some((some) => some.length === some[0]?.parts)) return standingOf(profile);
  await profiles.update(profile, { phase: 'ready' });
  await profile.db.secrets.bulkDelete(names);
  return standingOf(profile);
}
