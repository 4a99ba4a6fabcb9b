import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, expect, it } from 'vitest';
import { LIMITS } from '../../crypto/identity/limits.ts';
import { ProfileDatabase } from '../db/profile-database.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let relay: Relay;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ben = await TestClient.signUp(relay, 'ben');
});

/** How many one-time prekeys are on the device's disk. */
async function kept(client: TestClient): Promise<number> {
  const databases = await client.disk.databases();
  const name = databases.map((one) => one.name ?? '').find((one) => one.startsWith('teahouse-'))!;
  const db = new ProfileDatabase(name.slice('teahouse-'.length), { indexedDB: client.disk, IDBKeyRange });
  try {
    return await db.prekeys.count();
  } finally {
    db.close();
  }
}

it('10,000 times “prekeys run low” make no more keys than the bound for a day', async () => {
  let made = 0;
  for (let i = 0; i < 10_000; i += 1) {
    const publication = await ben.vault.prekeysToPublish(0);
    if (publication === null) continue;
    made += publication.prekeys.length;
    await ben.vault.prekeysPublished(publication);
  }
  expect(made).toBe(LIMITS.prekeysMadePerDay.value);
  expect(await kept(ben)).toBeLessThanOrEqual(LIMITS.prekeysKept.value);
}, 60_000);

it('keys that were not published are offered again, as they were, also after a restart', async () => {
  const first = await ben.vault.prekeysToPublish(0);
  for (let i = 0; i < 50; i += 1) expect(await ben.vault.prekeysToPublish(0)).toEqual(first);
  await ben.restart();
  expect(await ben.vault.prekeysToPublish(3)).toEqual(first);
  expect(await kept(ben)).toBe(200);
});

it('keys that the server refuses are thrown away and others are made', async () => {
  const first = (await ben.vault.prekeysToPublish(0))!;
  await ben.vault.prekeysRefused(first);
  expect(await kept(ben)).toBe(100);
  const second = (await ben.vault.prekeysToPublish(0))!;
  expect(second.idempotencyId).not.toBe(first.idempotencyId);
});

it('what is kept stays bounded, in number and in age, over months of draining', async () => {
  for (let day = 0; day < 30; day += 1) {
    ben.time += DAY_MS;
    const publication = await ben.vault.prekeysToPublish(0);
    if (publication !== null) await ben.vault.prekeysPublished(publication);
  }
  expect(await kept(ben)).toBe(LIMITS.prekeysKept.value);
  ben.time += 400 * DAY_MS;
  await ben.vault.prekeysToPublish(50);
  expect(await kept(ben), 'those that the server may still give out').toBe(50);
}, 60_000);
