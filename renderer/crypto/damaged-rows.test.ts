import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { generateAccountKey, signDeviceList } from '../../crypto/identity/account-key.ts';
import { signProfile } from '../../crypto/identity/signed-profile.ts';
import { DeviceList } from '../../protocol/devices.ts';
import { ProfileDatabase } from '../db/profile-database.ts';
import { RegistryDatabase } from '../db/registry.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

/* One row of the disk is damaged: what it was about suffers, and nothing else. */

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let cat: TestClient;

beforeEach(async () => {
  relay = new Relay();
  [ada, ben, cat] = [
    await TestClient.signUp(relay, 'ada'),
    await TestClient.signUp(relay, 'ben'),
    await TestClient.signUp(relay, 'cat'),
  ];
  for (const other of [ada, cat]) {
    await ben.write(other, 'hello');
    await other.fetch();
    await other.write(ben, 'hi');
    await ben.fetch();
  }
  await ben.vault.learnPeople([ada, cat].map(({ account }) => account));
  await ben.vault.setDraft({ conversation: ada.userId, text: 'draft' });
});

type Row = Record<string, unknown> & { readonly sealed: Uint8Array };

/** Flips a bit of each row that is chosen, or of all, while the app is closed. Returns how many there were. */
async function damage(table: string, chosen: (row: Row) => boolean = () => true, client = ben): Promise<number> {
  await client.vault.close();
  const options = { indexedDB: client.disk, IDBKeyRange };
  const registry = new RegistryDatabase(options);
  const [place] = await registry.profiles.toArray();
  registry.close();
  const db = new ProfileDatabase(place!.id, options);
  const rows = ((await db.table(table).toArray()) as Row[]).filter((row) => chosen(row));
  await db.table(table).bulkPut(rows.map((row) => ({ ...row, sealed: flipped(row.sealed) })));
  db.close();
  await client.restart();
  return rows.length;
}

function flipped(sealed: Uint8Array): Uint8Array {
  const copy = new Uint8Array(sealed);
  copy[copy.length - 1]! ^= 1;
  return copy;
}

async function receives(from: TestClient, text: string): Promise<void> {
  await from.fetch();
  await from.write(ben, text);
  await ben.fetch();
  expect(relay.queue(ben.address), 'nothing stays behind').toEqual([]);
}

async function exchanges(other: TestClient): Promise<void> {
  await ben.write(other, 'from ben');
  await other.fetch();
  expect((await other.texts(ben)).at(-1)).toBe('from ben');
  await receives(other, 'to ben');
  expect((await ben.texts(other)).at(-1)).toBe('to ben');
}

async function problemWith(other: TestClient, client = ben) {
  return (await client.vault.conversations()).find(({ userId }) => userId === other.userId)?.problem;
}

const own = ({ address }: TestClient) => `${address.userId}.${address.deviceId}`;

describe('a damaged row', () => {
  it.each(['people', 'sessions', 'identities', 'conversations', 'prekeys', 'signedPrekeys', 'pins'])(
    'in %s, or all of them, stops neither the start nor what is written and read',
    async (table) => {
      expect(await damage(table)).toBeGreaterThan(0);
      await ben.vault.people();
      expect(await ben.vault.conversations()).toHaveLength(2);
      const people = await ben.vault.learnPeople([ada.account, cat.account]);
      expect(people.map(({ username }) => username)).toEqual(['ada', 'cat']);
      await exchanges(cat);
      await exchanges(ada);
      await ben.vault.prekeysToPublish(100);
      await ben.restart();
      await exchanges(ada);
    },
  );

  it('of one session costs what was sent in it, and the next message begins another', async () => {
    expect(await damage('sessions', ({ address }) => address === own(ada))).toBe(1);
    await exchanges(cat);
    await receives(ada, 'in the session that is gone');
    expect(await ben.texts(ada)).toEqual(['hello', 'hi', '(unreadable)']);
    await exchanges(ada);
  });

  it('does not hold up a batch that others are in too', async () => {
    await damage('sessions', ({ address }) => address === own(ada));
    for (const other of [ada, cat, ada, cat]) await other.write(ben, `from ${other.account.username}`);
    await ben.fetch();
    expect(relay.queue(ben.address)).toEqual([]);
    expect((await ben.texts(cat)).slice(-2)).toEqual(['from cat', 'from cat']);
  });

  it('of the outbox fails alone; what waits behind it goes out', async () => {
    for (const text of ['first', 'second', 'third']) await ben.enqueue(ada, text);
    const [first] = (await ben.messages(ada)).filter(({ state }) => state === 'queued');
    expect(await damage('outbox', ({ messageId }) => messageId === first!.messageId)).toBe(1);
    await ben.flush();
    // What has no position stands at the end.
    expect((await ben.states(ada)).slice(-3)).toEqual(['sent', 'sent', 'failed']);
    await ada.fetch();
    expect((await ada.texts(ben)).slice(-2)).toEqual(['second', 'third']);
    // The person may try again, and throw it away.
    await ben.vault.retry(first!.messageId);
    await ben.flush();
    expect((await ben.states(ada)).slice(-3)).toEqual(['sent', 'sent', 'failed']);
    await ben.vault.discard(first!.messageId);
    expect(await ben.vault.outbox()).toEqual([]);
    await exchanges(ada);
  });

  it('of a hand-over in the outbox has it made anew', async () => {
    const second = await TestClient.approved(ben);
    expect(await damage('outbox')).toBeGreaterThan(0);
    await ben.flush();
    await ben.fetchLists([ben.userId]);
    await ben.flush();
    await second.fetch();
    expect(await second.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
  });

  it('of another account in the registry keeps nobody from theirs; if none can be opened, that is no empty device', async () => {
    await ben.vault.close();
    const registry = new RegistryDatabase({ indexedDB: ben.disk, IDBKeyRange });
    const [row] = await registry.profiles.toArray();
    const sealed = flipped(row!.sealed) as Uint8Array<ArrayBuffer>;
    await registry.profiles.put({ id: crypto.randomUUID(), sealed });
    await ben.restart();
    expect(await ben.vault.standing()).toMatchObject({ kind: 'ready' });
    await exchanges(ada);
    await ben.vault.close();
    await registry.profiles.put({ ...row!, sealed });
    registry.close();
    await expect(ben.restart()).rejects.toMatchObject({ code: 'tampered' });
  });
});

describe('a damaged list of somebody', () => {
  const ofAda = ({ userId }: Row) => userId === ada.userId;

  it('is never replaced by one that is trusted at first use, neither at once nor by way of a profile', async () => {
    expect(await damage('peers', ofAda)).toBe(1);
    expect(await problemWith(ada)).toBe('keys-damaged');
    const key = await generateAccountKey();
    const { userId, username, displayName } = ada.account;
    const profile = await signProfile(key, { userId, username, displayName, version: 9, issuedAt: ben.time });
    const forged = await signDeviceList(key, listOf(ada));
    const genuine = relay.lists.get(ada.userId)!;
    for (const list of [forged, genuine]) {
      await ben.vault.learnPeople([{ ...ada.account, profile }]);
      relay.lists.set(ada.userId, list);
      await ben.fetchLists([ada.userId]);
      expect(await problemWith(ada)).toBe('keys-damaged');
      await ben.restart();
    }
    await ben.write(ada, 'nothing is sent');
    expect((await ben.states(ada)).at(-1)).toBe('failed');
    await receives(ada, 'not believed');
    expect((await ben.texts(ada)).slice(-2)).toEqual(['(unreadable)', 'nothing is sent']);
    await exchanges(cat);
  });

  it('comes back with a list of the account key that is pinned besides, and with no other', async () => {
    const profile = await ada.vault.profileToPublish(null);
    await ben.vault.learnPeople([{ ...ada.account, profile: profile! }]);
    expect(await damage('peers', ofAda)).toBe(1);
    const genuine = relay.lists.get(ada.userId)!;
    relay.lists.set(ada.userId, await signDeviceList(await generateAccountKey(), listOf(ada)));
    await ben.fetchLists([ada.userId]);
    expect(await problemWith(ada)).toBe('account-key-changed');
    relay.lists.set(ada.userId, genuine);
    await ben.fetchLists([ada.userId]);
    expect(await problemWith(ada)).toBe(null);
    await exchanges(ada);
    await ben.restart();
    await exchanges(ada);
  });

  it('or a damaged pin, where there is no list yet, is none at all', async () => {
    const second = await TestClient.link(ben);
    await second.vault.setDraft({ conversation: ada.userId, text: 'draft' });
    expect(await damage('pins', ofAda, second)).toBe(1);
    for (let i = 0; i < 2; i += 1) {
      const [person] = await second.vault.learnPeople([ada.account]);
      expect(person).toMatchObject({ trust: 'unverified' });
      await second.fetchLists([ada.userId]);
      expect(await problemWith(ada, second)).toBe('keys-damaged');
      await second.restart();
    }
  });

  it('if it is the own one, comes back with the account key that is kept here', async () => {
    expect(await damage('peers', ({ userId }) => userId === ben.userId)).toBe(1);
    const genuine = relay.lists.get(ben.userId)!;
    relay.lists.set(ben.userId, await signDeviceList(await generateAccountKey(), listOf(ben)));
    await ben.fetchLists([ben.userId]);
    expect((await ben.vault.ownDevices()).devices).toEqual([]);
    relay.lists.set(ben.userId, genuine);
    await ben.fetchLists([ben.userId]);
    expect((await ben.vault.ownDevices()).devices).toHaveLength(1);
    await exchanges(ada);
  });

  function listOf(client: TestClient): DeviceList {
    const { payload } = relay.lists.get(client.userId)!;
    return DeviceList.parse(JSON.parse(payload));
  }
});
