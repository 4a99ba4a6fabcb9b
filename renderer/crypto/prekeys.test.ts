import { beforeEach, describe, expect, it } from 'vitest';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
});

describe('one-time prekeys', () => {
  it('are topped up to 100 when fewer than 20 are left, under new ids', async () => {
    expect(await ben.vault.prekeysToPublish(20)).toBeNull();
    const publication = await ben.vault.prekeysToPublish(19);
    expect(publication?.prekeys).toHaveLength(81);
    expect(publication).not.toHaveProperty('signedPrekey');
    await ben.vault.prekeysPublished(publication!);
    const more = await ben.vault.prekeysToPublish(0);
    const ids = new Set([...publication!.prekeys, ...more!.prekeys].map(({ keyId }) => keyId));
    expect(ids.size).toBe(181);
  });

  it('of a publication serve for a first message', async () => {
    const { prekeys } = (await ben.vault.prekeysToPublish(0))!;
    const [bundle] = relay.takeBundles([ben.address]);
    await ada.fetchLists([ben.userId]);
    await ada.vault.startSessions([{ ...bundle!, prekey: prekeys[7]! }]);
    await ada.write(ben, 'hello');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello']);
  });

  it('serve once: a first message that names a used one is not read', async () => {
    const [bundle] = relay.takeBundles([ben.address]);
    await ada.fetchLists([ben.userId]);
    await ada.vault.startSessions([bundle!]);
    await ada.write(ben, 'first');
    await ben.fetch();
    const eve = await TestClient.signUp(relay, 'eve');
    await eve.fetchLists([ben.userId]);
    await eve.vault.startSessions([bundle!]);
    await eve.write(ben, 'second with the same prekey');
    await ben.fetch();
    expect(await ben.texts(eve)).toEqual(['(unreadable)']);
  });
});

describe('the signed prekey', () => {
  it('is replaced weekly, and published until that is confirmed', async () => {
    ben.time += 6 * DAY_MS;
    expect(await ben.vault.prekeysToPublish(100)).toBeNull();
    ben.time += 2 * DAY_MS;
    const first = await ben.vault.prekeysToPublish(100);
    expect(first?.signedPrekey).toBeDefined();
    await ben.restart();
    const second = await ben.vault.prekeysToPublish(100);
    expect(second?.signedPrekey).toEqual(first?.signedPrekey);
    await ben.vault.prekeysPublished(second!);
    expect(await ben.vault.prekeysToPublish(100)).toBeNull();
  });

  it('that was replaced serves 30 days longer for messages under way, and no more', async () => {
    const [early] = relay.takeBundles([ben.address]);
    const [late] = relay.takeBundles([ben.address]);
    await ada.fetchLists([ben.userId]);
    ben.time += 8 * DAY_MS;
    await ben.vault.prekeysToPublish(100);

    ben.time += 29 * DAY_MS;
    await ben.vault.prekeysToPublish(100);
    await ada.vault.startSessions([early!]);
    await ada.write(ben, 'late, but in time');
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['late, but in time']);

    ben.time += 2 * DAY_MS;
    await ben.vault.prekeysToPublish(100);
    const eve = await TestClient.signUp(relay, 'eve');
    await eve.fetchLists([ben.userId]);
    await eve.vault.startSessions([late!]);
    await eve.write(ben, 'too late');
    await ben.fetch();
    expect(await ben.texts(eve)).toEqual(['(unreadable)']);
  });
});
