import type { DeviceSecrets } from '../../crypto/identity/device-keys.ts';
import type { Account } from '../../protocol/accounts.ts';
import type { DeviceList, SignedDeviceList } from '../../protocol/devices.ts';
import type { DeviceAddress, DeviceId, UserId } from '../../protocol/ids.ts';
import type { SignedProfile } from '../../protocol/profile.ts';
import type { ProfileDatabase, SecretName } from '../db/profile-database.ts';
import type { SessionCache } from './session-cache.ts';
import type { SettledMessages } from './settled-messages.ts';
import type { SkipAllowances } from './skip-allowances.ts';
import type { StrangerLookUps } from './stranger-look-ups.ts';
import type { Sealer } from './sealer.ts';
import type { SummaryCache } from './summary-cache.ts';
import type { ListChange, TrustProblem } from './vault.ts';

/** What the registry knows of an account's place on this device. */
export interface ProfileInfo {
  /** The server that the account is at. Its session and its keys are used with no other. */
  readonly origin: string;
  readonly username: string;
  readonly userId: UserId;
  /**
   * `signing-up`: perhaps known to the server. `linking`: signed in, on no list yet; the keys that are to be linked are
   * kept apart. `receiving`: on the list, but without the pins that the approving device hands over.
   */
  readonly phase: 'signing-up' | 'linking' | 'receiving' | 'ready';
  readonly account: Account | null;
  readonly session: string | null;
  /** When it was made the current one; the latest is. */
  readonly chosenAt: number;
}

/** What is pinned of a person. */
export interface Peer {
  /** The newest list accepted, as signed. */
  readonly signed: SignedDeviceList;
  /** Its payload, verified; of the own account without devices that were removed since. */
  readonly list: DeviceList;
  /** Set when the server showed a list that contradicts it. */
  readonly problem: TrustProblem | null;
}

/** What a person is known as. */
export interface PinnedName {
  /** Of the signed profile; 0 for a name that the person has not signed. */
  readonly version: number;
  readonly username: string;
  readonly displayName: string;
  /** The profile as signed; absent for a name that is not, and for one that was handed over. */
  readonly signed?: SignedProfile;
}

/** What is pinned of a person apart from a device list: before there was one, or handed over by another own device. */
export interface Pin {
  /** Base64; null if none was seen yet. */
  readonly accountKey: string | null;
  /** The lowest version of the device list that is acceptable. */
  readonly listVersion: number;
  readonly name: PinnedName | null;
  /** There was a pin, and it cannot be read any more. Never stored. */
  readonly damaged?: true;
}

/** What this device has signed of its account's device list. Durable before anybody gets what was signed. */
export interface OwnListRecord {
  /** The highest version that was signed: no version is signed twice. */
  readonly version: number;
  /** Taken off the list by their owner: no list that is signed here names them again, and nothing is sealed to them. */
  readonly removed: readonly DeviceId[];
  /** The newest one, until the server has taken or refused it, or shows a later one. */
  readonly pending: ListChange | null;
}

/** The account that is open: its database, and what of it is kept in memory. */
export interface Profile {
  readonly id: string;
  readonly db: ProfileDatabase;
  readonly sealer: Sealer;
  readonly now: () => number;
  info: ProfileInfo;
  /** Null until keys were made. */
  device: DeviceSecrets | null;
  /** Every pinned person; small, and asked for with every message. The own list is without removed devices (`ownList`). */
  readonly peers: Map<UserId, Peer>;
  ownList: OwnListRecord;
  /** People without a pinned list, whose list contradicts what was pinned of them otherwise; found again with the list. */
  readonly doubts: Map<UserId, TrustProblem>;
  /** Whose pinned list cannot be read any more. No key of theirs is trusted at first use; one pinned elsewhere counts. */
  readonly damaged: Set<UserId>;
  readonly sessions: SessionCache;
  readonly summaries: SummaryCache;
  readonly skips: SkipAllowances;
  readonly settled: SettledMessages;
  readonly lookUps: StrangerLookUps;
  /** Conversations in whose outbox nothing waits, as far as is known without looking. */
  readonly outboxEmpty: Set<UserId>;
  /** Whose receipts the server did not take: they stay due until it takes something for that person, or one writes. */
  readonly receiptsRest: Set<UserId>;
}

/** This device's address. Throws before it has keys. */
export function selfOf(profile: Profile): DeviceAddress {
  return { userId: profile.info.userId, deviceId: deviceOf(profile).deviceId };
}

export function deviceOf(profile: Profile): DeviceSecrets {
  if (profile.device === null) throw new Error('this device has no keys yet');
  return profile.device;
}

export async function readSecret<T>(profile: Profile, name: SecretName): Promise<T | null> {
  const row = await profile.db.secrets.get(name);
  return row === undefined ? null : profile.sealer.open<T>('secrets', name, row.sealed);
}

/** As `readSecret`, for what can be done without: null, too, if it is damaged. */
export async function readIntactSecret<T>(profile: Profile, name: SecretName): Promise<T | null> {
  const row = await profile.db.secrets.get(name);
  return row === undefined ? null : profile.sealer.openIntact<T>('secrets', name, row.sealed);
}

export async function sealSecret(profile: Profile, name: SecretName, value: unknown) {
  return { name, sealed: await profile.sealer.seal('secrets', name, value) };
}

/** Why nothing can be exchanged with a person; null when all is well. */
export function problemWith({ peers, doubts }: Profile, userId: UserId): TrustProblem | null {
  return peers.get(userId)?.problem ?? doubts.get(userId) ?? null;
}

/** The account key that is pinned of a person, base64; null if none is. */
export function accountKeyOf({ peers }: Profile, userId: UserId, pin: Pin | null): string | null {
  return peers.get(userId)?.signed.accountKey ?? pin?.accountKey ?? null;
}
