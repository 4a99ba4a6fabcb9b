import { beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '../../crypto/bytes.ts';
import { generateAccountKey } from '../../crypto/identity/account-key.ts';
import type { AccountKey } from '../../crypto/identity/account-key.ts';
import { signProfile } from '../../crypto/identity/signed-profile.ts';
import { signDeviceList } from '../../crypto/identity/account-key.ts';
import type { Person } from '../../protocol/contacts.ts';
import { DeviceList } from '../../protocol/devices.ts';
import { UserId } from '../../protocol/ids.ts';
import type { Profile } from '../../protocol/profile.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let eveKey: AccountKey;
const eve = UserId.parse(crypto.randomUUID());

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  eveKey = await generateAccountKey();
});

/** Somebody whose account key the test holds, as the server shows them. */
async function person(
  signed: Partial<Profile> | null,
  plain: Partial<Person> = {},
  key: AccountKey = eveKey,
): Promise<Person> {
  const names = { userId: eve, username: 'eve', displayName: 'Eve Byron' };
  const base = { ...names, role: 'member' as const, ...plain };
  if (signed === null) return base;
  return { ...base, profile: await signProfile(key, { ...names, version: 1, issuedAt: 1, ...signed }) };
}

async function learn(shown: Person) {
  const [known] = await ada.vault.learnPeople([shown]);
  return known;
}

describe('a name that the person has signed', () => {
  it('is shown, whatever the server says beside it', async () => {
    const swapped = await person({}, { displayName: 'The Boss', username: 'boss' });
    expect(await learn(swapped)).toMatchObject({ displayName: 'Eve Byron', username: 'eve', trust: 'signed' });
  });

  it('changes by a later signature alone, and the change is shown until it is dismissed', async () => {
    await learn(await person({}));
    const married = await person({ displayName: 'Eve King', version: 2 });
    expect(await learn(married)).toMatchObject({ displayName: 'Eve King', trust: 'signed', formerName: 'Eve Byron' });
    await ada.restart();
    expect(await ada.vault.people()).toMatchObject([{ displayName: 'Eve King', formerName: 'Eve Byron' }]);
    await ada.vault.dismissNameChange(eve);
    expect(await learn(married)).toMatchObject({ displayName: 'Eve King', formerName: null });
  });

  it('is not given up for a plain name, an older signature, or another of the same version', async () => {
    await learn(await person({ displayName: 'Eve King', version: 2 }));
    const king = { displayName: 'Eve King', trust: 'doubtful', formerName: null };
    expect(await learn(await person(null, { displayName: 'The Boss' }))).toMatchObject(king);
    expect(await learn(await person({ version: 1 }))).toMatchObject(king);
    expect(await learn(await person({ displayName: 'Eve Other', version: 2 }))).toMatchObject(king);
    await ada.restart();
    expect(await ada.vault.people()).toMatchObject([king]);
    const right = await person({ displayName: 'Eve King', version: 2 });
    expect(await learn(right)).toMatchObject({ displayName: 'Eve King', trust: 'signed' });
    expect(await learn(await person(null, { displayName: 'Eve King' }))).toMatchObject({ trust: 'signed' });
  });

  it('is not given up for another key’s, a forged one or another person’s', async () => {
    await learn(await person({}));
    const genuine = await person({ displayName: 'The Boss', version: 2 });
    const byron = { displayName: 'Eve Byron', username: 'eve', trust: 'doubtful' };
    const forged = [
      await person({ displayName: 'The Boss', version: 2 }, {}, await generateAccountKey()),
      { ...genuine, profile: { ...genuine.profile!, signature: toBase64(new Uint8Array(64)) } },
      { ...genuine, profile: { ...genuine.profile!, payload: genuine.profile!.payload.replace('Boss', 'King') } },
      await person({ userId: ben.userId, displayName: 'The Boss', version: 2 }),
    ];
    for (const one of forged) expect(await learn(one)).toMatchObject(byron);
  });

  it('of somebody unknown that does not hold leaves the username, and is pinned by nobody', async () => {
    const genuine = await person({});
    const broken = { ...genuine, profile: { ...genuine.profile!, signature: toBase64(new Uint8Array(64)) } };
    expect(await learn(broken)).toMatchObject({ displayName: 'eve', trust: 'unverified', formerName: null });
    expect(await learn(genuine)).toMatchObject({ displayName: 'Eve Byron', trust: 'signed', formerName: null });
  });
});

describe('the key that signs a name', () => {
  it('must be the one of the pinned device list', async () => {
    await ada.write(ben, 'hello');
    const names = { userId: ben.userId, username: 'ben', displayName: 'ben' };
    const plain = { ...names, role: 'member' as const };
    const profile = await signProfile(eveKey, { ...names, displayName: 'Benjamin', version: 9, issuedAt: 1 });
    expect(await learn({ ...plain, profile })).toMatchObject({ displayName: 'ben', trust: 'unverified' });
    const genuine = (await ben.vault.profileToPublish(null))!;
    expect(await learn({ ...plain, profile: genuine })).toMatchObject({ displayName: 'ben', trust: 'signed' });
  });

  it('is pinned at first sight, so that a device list by another one is refused and shown', async () => {
    await learn(await person({}));
    const list = DeviceList.parse(JSON.parse(relay.lists.get(ben.userId)!.payload));
    const other = await signDeviceList(await generateAccountKey(), { ...list, userId: eve });
    const changes = await ada.vault.updateLists({ lists: [other], asked: [eve] });
    expect(changes.conversations).toMatchObject([{ userId: eve, problem: 'account-key-changed' }]);
    const right = await signDeviceList(eveKey, { ...list, userId: eve });
    const later = await ada.vault.updateLists({ lists: [right], asked: [eve] });
    expect(later.conversations).toMatchObject([{ userId: eve, problem: null }]);
  });
});

describe('a name that nobody has signed yet', () => {
  it('is pinned at first sight, and shown as changed when the server changes it', async () => {
    expect(await learn(await person(null))).toMatchObject({
      displayName: 'Eve Byron',
      trust: 'plain',
      formerName: null,
    });
    const swapped = await person(null, { displayName: 'The Boss' });
    expect(await learn(swapped)).toMatchObject({ displayName: 'The Boss', trust: 'plain', formerName: 'Eve Byron' });
  });

  it('gives way to the first signed one, which stays', async () => {
    await learn(await person(null));
    expect(await learn(await person({}))).toMatchObject({ trust: 'signed', formerName: null });
    expect(await learn(await person(null, { displayName: 'The Boss' }))).toMatchObject({ trust: 'doubtful' });
  });
});

describe('the own name', () => {
  it('is signed at sign-up and published again when the server has lost it, always as it was', async () => {
    const profile = (await ada.vault.profileToPublish(null))!;
    expect(JSON.parse(profile.payload)).toMatchObject({ userId: ada.userId, username: 'ada', version: 1 });
    await ada.restart();
    expect(await ada.vault.profileToPublish(null)).toEqual(profile);
    expect(await ada.vault.profileToPublish({ ...ada.account, profile })).toBeNull();
    // What the server calls the account is not signed.
    const renamed = { ...ada.account, displayName: 'The Boss' };
    await ada.vault.signedIn({ account: renamed, session: 'A'.repeat(43) });
    expect(await ada.vault.profileToPublish(renamed)).toEqual(profile);
  });

  it('is signed by the device that holds the account key alone', async () => {
    const second = await TestClient.link(ada);
    expect(await second.vault.profileToPublish(null)).toBeNull();
  });
});

describe('names that another own device knows', () => {
  it('are handed over, so that the server cannot swap them on a new device', async () => {
    await learn(await person({ displayName: 'Eve King', version: 2 }));
    const second = await TestClient.link(ada);
    const [shown] = await second.vault.learnPeople([await person({ version: 1 })]);
    expect(shown).toMatchObject({ displayName: 'Eve King', trust: 'doubtful' });
    const foreign = await person({ displayName: 'The Boss', version: 3 }, {}, await generateAccountKey());
    expect((await second.vault.learnPeople([foreign]))[0]).toMatchObject({
      displayName: 'Eve King',
      trust: 'doubtful',
    });
  });

  it('go over in parts that each fit into a message, for thousands of people with the longest names', async () => {
    const people: Person[] = Array.from({ length: 3000 }, (_, i) => ({
      userId: UserId.parse(crypto.randomUUID()),
      username: `u${String(i).padStart(31, '0')}`,
      displayName: '\u{6f22}'.repeat(64),
      role: 'member',
    }));
    await ada.vault.learnPeople(people);
    const second = await TestClient.link(ada);
    const swapped = { ...people[2999]!, displayName: 'The Boss' };
    const [shown] = await second.vault.learnPeople([swapped]);
    expect(shown?.formerName).toBe(people[2999]!.displayName);
  }, 60_000);
});
