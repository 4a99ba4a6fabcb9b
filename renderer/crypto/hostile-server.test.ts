import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../protocol/chat.ts';
import { DeviceList } from '../../protocol/devices.ts';
import { sealMessage } from '../../crypto/envelopes/seal-message.ts';
import { IdempotencyId, MessageId, UserId } from '../../protocol/ids.ts';
import { Profiles } from './profiles.ts';
import { SessionRows } from './session-rows.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
});

/** One byte of base64 text altered, its length kept. */
function flip(base64: string, at: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[at] = bytes[at]! ^ 1;
  return bytes.toString('base64');
}

async function conversationOf(client: TestClient, other: TestClient) {
  return (await client.vault.conversations()).find(({ userId }) => userId === other.userId);
}

describe('an altered envelope', () => {
  const alterations: readonly [string, (envelope: Envelope) => Envelope][] = [
    ['body', (envelope) => ({ ...envelope, payload: flip(envelope.payload, 40) })],
    ['wrapped key', (envelope) => ({ ...envelope, key: { ...envelope.key, body: flip(envelope.key.body, 120) } })],
    ['message id', (envelope) => ({ ...envelope, messageId: MessageId.parse(crypto.randomUUID()) })],
  ];

  it.each(alterations)(
    'with another %s leaves one entry, is acknowledged, and harms nothing else',
    async (_, alter) => {
      await ada.write(ben, 'before');
      await ben.fetch();
      await ada.write(ben, 'altered');
      const [genuine] = relay.queue(ben.address).splice(0);
      const altered = alter(genuine!);
      expect((await ben.receive([altered])).acknowledge).toEqual([altered.queueId]);
      expect((await ben.receive([altered])).acknowledge).toEqual([altered.queueId]);
      expect(await ben.texts(ada)).toEqual(['before', '(unreadable)']);
      await ada.write(ben, 'after');
      await ben.fetch();
      expect(await ben.texts(ada)).toEqual(['before', '(unreadable)', 'after']);
    },
  );

  it('gives its place to the genuine one, should that still come', async () => {
    await ada.write(ben, 'first');
    await ben.fetch();
    await ada.write(ben, 'genuine');
    const [genuine] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...genuine!, payload: flip(genuine!.payload, 40) }]);
    expect(await ben.texts(ada)).toEqual(['first', '(unreadable)']);
    await ben.receive([genuine!]);
    expect(await ben.texts(ada)).toEqual(['first', 'genuine']);
  });

  it('makes the next message to that device begin a new session', async () => {
    await ada.write(ben, 'first');
    await ben.fetch();
    await ben.write(ada, 'answer');
    await ada.fetch();
    await ada.write(ben, 'lost');
    const [genuine] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...genuine!, key: { ...genuine!.key, body: flip(genuine!.key.body, 60) } }]);
    await ben.write(ada, 'on a new session');
    expect(relay.queue(ada.address).at(-1)?.key.type).toBe('prekey');
    await ben.write(ada, 'on the same');
    await ada.fetch();
    expect(await ada.texts(ben)).toEqual(['first', 'answer', 'lost', 'on a new session', 'on the same']);
    await ada.write(ben, 'and back');
    await ben.fetch();
    expect((await ben.texts(ada)).at(-1)).toBe('and back');
  });
});

describe('a replayed envelope', () => {
  it('is shown once, under whatever queue id it comes', async () => {
    await ada.write(ben, 'once');
    const [envelope] = relay.queue(ben.address);
    await ben.fetch();
    const outcome = await ben.receive([{ ...envelope!, queueId: 99 }]);
    expect(outcome).toMatchObject({ acknowledge: [99], arrived: [] });
    expect(await ben.texts(ada)).toEqual(['once']);
  });

  it('within one batch is shown once', async () => {
    await ada.write(ben, 'once');
    const [envelope] = relay.queue(ben.address).splice(0);
    const outcome = await ben.receive([envelope!, { ...envelope!, queueId: 99 }]);
    expect(outcome.arrived).toHaveLength(1);
    expect(outcome.acknowledge).toEqual([envelope!.queueId, 99]);
    expect(await ben.texts(ada)).toEqual(['once']);
  });
});

describe('an envelope said to be from somebody else', () => {
  it('is not believed', async () => {
    const eve = await TestClient.signUp(relay, 'eve');
    await ada.write(ben, 'from Ada');
    await ben.fetch();
    await eve.write(ben, 'from Eve');
    const [envelope] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...envelope!, sender: ada.address }]);
    expect(await ben.texts(ada)).toEqual(['from Ada', '(unreadable)']);
  });

  it('cannot overwrite a message under its id', async () => {
    await ada.write(ben, 'mine');
    await ben.fetch();
    const [original] = await ben.messages(ada);
    const eve = await TestClient.signUp(relay, 'eve');
    await eve.write(ben, 'another');
    const [envelope] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...envelope!, messageId: original!.messageId }]);
    expect(await ben.texts(ada)).toEqual(['mine']);
  });
});

describe('content that names a conversation with somebody else', () => {
  it('is not filed there, nor as if it were meant for this one', async () => {
    const eve = await TestClient.signUp(relay, 'eve');
    await ada.write(ben, 'for Ben');
    await ben.fetch();
    await ada.vault.close();
    const profiles = await Profiles.load({ indexedDB: ada.disk, IDBKeyRange }, () => ada.time, null, HOME);
    const profile = (await profiles.openLast())!;
    const messageId = MessageId.parse(crypto.randomUUID());
    const { payload, recipients } = await sealMessage({
      content: { version: 1, conversation: eve.userId, sentAt: 1, content: { kind: 'text', text: 'for Eve' } },
      messageId,
      sender: ada.address,
      recipients: [profile.peers.get(ben.userId)!.list],
      store: new SessionRows(profile),
    });
    relay.send(ada.address, { payload, recipients, idempotencyId: IdempotencyId.parse(messageId) });
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['for Ben', '(unreadable)']);
    expect(await ben.texts(eve)).toEqual([]);
  });
});

describe('the news of a list’s new version', () => {
  it('matters only for people whose older list is pinned', async () => {
    await ada.fetchLists([ben.userId]);
    const stranger = UserId.parse(crypto.randomUUID());
    const news = (version: number) => [
      { userId: ben.userId, version },
      { userId: stranger, version },
    ];
    expect(await ada.vault.outdatedLists(news(1))).toEqual([]);
    expect(await ada.vault.outdatedLists(news(2))).toEqual([ben.userId]);
  });
});

describe('a forged device list', () => {
  it('with another account key is refused, shown, and nothing is sent', async () => {
    await ada.write(ben, 'before');
    const impostor = await TestClient.signUp(relay, 'impostor');
    const forged = relay.lists.get(impostor.userId)!;
    const own = DeviceList.parse(JSON.parse(forged.payload));
    const genuine = relay.lists.get(ben.userId)!;
    relay.lists.set(ben.userId, { ...forged, payload: JSON.stringify({ ...own, userId: ben.userId, version: 2 }) });
    await ada.fetchLists([ben.userId]);
    expect((await conversationOf(ada, ben))?.problem).toBe('account-key-changed');
    await ada.write(ben, 'not sent');
    expect(await ada.states(ben)).toEqual(['sent', 'failed']);
    await ada.restart();
    expect((await conversationOf(ada, ben))?.problem).toBe('account-key-changed');
    relay.lists.set(ben.userId, genuine);
    await ada.fetchLists([ben.userId]);
    expect((await conversationOf(ada, ben))?.problem).toBeNull();
  });

  it('with a device that the account did not sign is not used', async () => {
    await ada.write(ben, 'before');
    const genuine = relay.lists.get(ben.userId)!;
    const list = DeviceList.parse(JSON.parse(genuine.payload));
    const silent = { ...list.devices[0]!, deviceId: ada.address.deviceId };
    const payload = JSON.stringify({ ...list, version: 2, devices: [...list.devices, silent] });
    relay.lists.set(ben.userId, { ...genuine, payload });
    await ada.fetchLists([ben.userId]);
    await ada.enqueue(ben, 'to one device');
    const messageId = (await ada.messages(ben)).at(-1)!.messageId;
    const outcome = await ada.sealOldest(ben.userId, [messageId]);
    if (outcome === null || !('params' in outcome)) throw new Error('not sealed');
    expect(outcome.params.recipients[0]?.keys.map(({ deviceId }) => deviceId)).toEqual([ben.address.deviceId]);
  });

  it('that is older than the one known is refused and shown', async () => {
    const first = relay.lists.get(ben.userId)!;
    await TestClient.link(ben);
    await ada.write(ben, 'to both devices');
    relay.lists.set(ben.userId, first);
    await ada.fetchLists([ben.userId]);
    expect((await conversationOf(ada, ben))?.problem).toBe('device-list-rolled-back');
    await ada.write(ben, 'not sent');
    expect(await ada.states(ben)).toEqual(['sent', 'failed']);
  });
});

describe('prekey bundles', () => {
  it('with another identity than the listed one start no session', async () => {
    const eve = await TestClient.signUp(relay, 'eve');
    await ada.fetchLists([ben.userId]);
    const [bundle] = relay.takeBundles([eve.address]);
    await ada.vault.startSessions([{ ...bundle!, ...ben.address }]);
    await ada.enqueue(ben, 'secret');
    const outcome = await ada.sealOldest(ben.userId);
    expect(outcome).toMatchObject({ kind: 'need-bundles', devices: [ben.address] });
  });
});
