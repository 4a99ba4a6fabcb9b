import { fromBase64 } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/crypto-error.ts';
import { signProfile, verifyProfile } from '../../../crypto/identity/signed-profile.ts';
import type { Person } from '../../../protocol/contacts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { SignedProfile } from '../../../protocol/profile.ts';
import type { PersonRow } from '../../db/profile-database.ts';
import type { KnownPerson, NameTrust } from '../../modules/contacts/model.ts';
import { LIMITS } from '../limits.ts';
import { isDamaged, pinWrite, readPin, readPins } from '../pins.ts';
import { accountKeyOf } from '../profile.ts';
import type { Pin, PinnedName, Profile } from '../profile.ts';
import { loadAccountKey } from './account-key.ts';
import { conversationIds } from './history.ts';

/** See `Vault.people`. */
export async function people(profile: Profile): Promise<readonly KnownPerson[]> {
  return readPeople(profile, await profile.db.people.toArray());
}

/** Earlier versions stored what the server said, and no more. Whose row is damaged is unknown until they are met again. */
async function readPeople({ sealer }: Profile, rows: readonly PersonRow[]): Promise<KnownPerson[]> {
  const read = rows.map(async ({ userId, sealed }): Promise<KnownPerson | null> => {
    const stored = await sealer.openIntact<Person & Partial<KnownPerson>>('people', userId, sealed);
    return stored && { ...stored, trust: stored.trust ?? 'plain', formerName: stored.formerName ?? null };
  });
  return (await Promise.all(read)).filter((person) => person !== null);
}

/** See `Vault.learnPeople`. */
export async function learnPeople(profile: Profile, shown: readonly Person[]): Promise<readonly KnownPerson[]> {
  const { db } = profile;
  const users = shown.map(({ userId }) => userId);
  const [pins, rows] = await Promise.all([readPins(profile, users), db.people.bulkGet(users)]);
  const stored = await readPeople(
    profile,
    rows.filter((row) => row !== undefined),
  );
  const before = new Map(stored.map((person) => [person.userId, person]));
  const judged = await Promise.all(
    shown.map((person) => judge(profile, person, pins.get(person.userId) ?? null, before.get(person.userId) ?? null)),
  );
  await write(
    profile,
    judged.flatMap(({ person }) => (isSame(person, before.get(person.userId)) ? [] : [person])),
    await withRoom(profile, pins, judged),
  );
  return judged.map(({ person }) => person);
}

/** The pins to be written: all of them, but those of further strangers once a server has had so many pinned. */
async function withRoom(
  profile: Profile,
  pinned: ReadonlyMap<UserId, Pin>,
  judged: readonly Judged[],
): Promise<ReadonlyMap<UserId, Pin>> {
  const { db, info, peers } = profile;
  const changes = judged.flatMap(({ person, pin }) => (pin === null ? [] : [[person.userId, pin] as const]));
  const isNew = (userId: UserId) => !pinned.has(userId) && !peers.has(userId) && userId !== info.userId;
  if (!changes.some(([userId]) => isNew(userId))) return new Map(changes);
  let room = LIMITS.namesOfStrangers.value - ((await db.pins.count()) - peers.size);
  return new Map(changes.filter(([userId]) => !isNew(userId) || room-- > 0));
}

/** See `Vault.forgetPeople`. */
export async function forgetPeople(profile: Profile, users: readonly UserId[]): Promise<readonly UserId[]> {
  const { db, info, peers } = profile;
  const written = await conversationIds(profile);
  const strangers = users.filter((userId) => userId !== info.userId && !peers.has(userId) && !written.has(userId));
  const tooMany = (await db.pins.count()) - peers.size - LIMITS.namesOfStrangers.value;
  const pins = tooMany > 0 ? await readPins(profile, strangers) : new Map<UserId, Pin>();
  const mereNames = [...pins].flatMap(([userId, pin]) => (isMereName(pin) ? [userId] : [])).slice(0, tooMany);
  await db.transaction('rw', [db.people, db.pins], () =>
    Promise.all([db.people.bulkDelete(strangers), db.pins.bulkDelete(mereNames)]),
  );
  return strangers;
}

/** Whether nothing is pinned but what the server said, and no key; of what is damaged nobody knows. */
function isMereName({ accountKey, listVersion, name, damaged }: Pin): boolean {
  return damaged !== true && accountKey === null && listVersion === 0 && (name?.version ?? 0) === 0;
}

async function write(profile: Profile, persons: readonly KnownPerson[], pins: ReadonlyMap<UserId, Pin>): Promise<void> {
  if (persons.length === 0 && pins.size === 0) return;
  const { db, sealer } = profile;
  const writePins = await pinWrite(profile, pins);
  const rows = await Promise.all(
    persons.map(async (person) => ({
      userId: person.userId,
      sealed: await sealer.seal('people', person.userId, person),
    })),
  );
  await db.transaction('rw', [db.people, db.pins], () => Promise.all([writePins(db), db.people.bulkPut(rows)]));
}

function isSame(a: KnownPerson, b: KnownPerson | undefined): boolean {
  const keys = ['username', 'displayName', 'role', 'status', 'trust', 'formerName'] as const;
  return b !== undefined && keys.every((key) => a[key] === b[key]);
}

/** What the server says a person is called, as far as it can be believed. */
type Claim =
  | { readonly kind: 'named'; readonly name: PinnedName; readonly accountKey: string | null }
  /** There is a profile, and it does not verify. */
  | { readonly kind: 'broken' };

async function claimOf(profile: Profile, person: Person, pin: Pin | null): Promise<Claim> {
  const { userId, username, displayName, profile: signed } = person;
  const pinnedKey = accountKeyOf(profile, userId, pin);
  // What was pinned is damaged, and nothing is left to measure by. A new pin would look as if there had been none.
  if (pinnedKey === null && isDamaged(profile, userId, pin)) return { kind: 'broken' };
  if (signed === undefined) return { kind: 'named', name: { version: 0, username, displayName }, accountKey: null };
  const { accountKey } = signed;
  const known = pin?.name?.signed;
  // Verified before, to the letter.
  if (pin?.name && accountKey === pinnedKey && isSameText(signed, known)) {
    return { kind: 'named', name: pin.name, accountKey };
  }
  try {
    const pinnedAccountKey = pinnedKey === null ? null : fromBase64(pinnedKey);
    const verified = await verifyProfile(signed, { userId, pinnedAccountKey });
    const { version, ...names } = verified;
    const name = { version, username: names.username, displayName: names.displayName, signed };
    return { kind: 'named', name, accountKey };
  } catch (error) {
    if (CryptoError.is(error)) return { kind: 'broken' };
    throw error;
  }
}

function isSameText(a: SignedProfile, b: SignedProfile | undefined): boolean {
  return b !== undefined && a.payload === b.payload && a.signature === b.signature;
}

interface Judged {
  readonly person: KnownPerson;
  /** What is to be pinned anew; null if nothing changes. */
  readonly pin: Pin | null;
}

/**
 * A name that the person has signed is believed and pinned, and gives way only to a later one that they have signed. A name
 * that only the server says is pinned at first sight, and shown as changed when it changes.
 */
async function judge(profile: Profile, person: Person, pin: Pin | null, before: KnownPerson | null): Promise<Judged> {
  const { userId, role } = person;
  const standing = person.status === undefined ? {} : { status: person.status };
  const claim = await claimOf(profile, person, pin);
  // Names from before there were pins count as seen.
  const pinned =
    pin?.name ?? (before === null || before.trust === 'unverified' ? null : { ...namesOf(before), version: 0 });
  const known = (name: Names, trust: NameTrust, formerName: string | null): KnownPerson => ({
    userId,
    role,
    ...standing,
    ...namesOf(name),
    trust,
    formerName,
  });
  const formerName = before?.formerName ?? null;
  if (claim.kind === 'broken') {
    if (pinned !== null) return { person: known(pinned, 'doubtful', formerName), pin: null };
    const { username } = person;
    return { person: known({ username, displayName: username }, 'unverified', null), pin: null };
  }
  const { name, accountKey } = claim;
  const trust = name.version > 0 ? 'signed' : 'plain';
  if (pinned !== null && isSameName(name, pinned)) {
    const newer = name.version > pinned.version || (name.version === pinned.version && name.signed !== pinned.signed);
    const kept = pinned.version > 0 ? 'signed' : trust;
    return { person: known(pinned, kept, formerName), pin: nextPin(pin, newer ? name : pinned, accountKey) };
  }
  if (pinned !== null && pinned.version > 0 && name.version <= pinned.version) {
    return { person: known(pinned, 'doubtful', formerName), pin: null };
  }
  const former = pinned === null ? formerName : changedName(pinned, name);
  return { person: known(name, trust, former), pin: nextPin(pin, name, accountKey) };
}

type Names = Pick<PinnedName, 'username' | 'displayName'>;

function namesOf({ username, displayName }: Names): Names {
  return { username, displayName };
}

function isSameName(a: Names, b: Names): boolean {
  return a.username === b.username && a.displayName === b.displayName;
}

/** What the person was called, by the part that changed. */
function changedName(before: Names, after: Names): string {
  return before.displayName === after.displayName ? `@${before.username}` : before.displayName;
}

/** The key that signed the first profile is trusted at first sight, as the first device list's is; they must be the same. */
function nextPin(pin: Pin | null, name: PinnedName, accountKey: string | null): Pin | null {
  const next: Pin = { accountKey: pin?.accountKey ?? accountKey, listVersion: pin?.listVersion ?? 0, name };
  return pin !== null && pin.accountKey === next.accountKey && pin.name === name ? null : next;
}

/** See `Vault.dismissNameChange`. */
export async function dismissNameChange(profile: Profile, userId: UserId): Promise<void> {
  const row = await profile.db.people.get(userId);
  if (row === undefined) return;
  const [person] = await readPeople(profile, [row]);
  if (person !== undefined) await write(profile, [{ ...person, formerName: null }], new Map());
}

/** See `Vault.profileToPublish`. */
export async function profileToPublish(profile: Profile, published: Person | null): Promise<SignedProfile | null> {
  const { userId, account } = profile.info;
  const accountKey = await loadAccountKey(profile);
  if (accountKey === null || account === null) return null;
  const pin = await readPin(profile, userId);
  // Of a damaged pin it is not known which version was signed last; what others show of this account brings it back.
  if (pin?.damaged) return null;
  const known = pin?.name?.signed;
  if (known !== undefined) {
    return published?.profile !== undefined && isSameText(published.profile, known) ? null : known;
  }
  const { username, displayName } = account;
  // The account key signs what the person is called here, not what a server comes to say later.
  if (pin?.name && !isSameName(pin.name, account)) return null;
  const version = (pin?.name?.version ?? 0) + 1;
  const signed = await signProfile(accountKey, { userId, username, displayName, version, issuedAt: profile.now() });
  const name: PinnedName = { version, username, displayName, signed };
  const next: Pin = { accountKey: pin?.accountKey ?? null, listVersion: pin?.listVersion ?? 0, name };
  await write(profile, [], new Map([[userId, next]]));
  return signed;
}
