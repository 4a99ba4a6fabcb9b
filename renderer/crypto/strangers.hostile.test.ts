import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../protocol/chat.ts';
import { DeviceId, MessageId, UserId } from '../../protocol/ids.ts';
import type { Message, MessageBody } from '../modules/chat/model.ts';
import { Batch } from './batch.ts';
import { LIMITS } from './limits.ts';
import type { Profile } from './profile.ts';
import { Profiles } from './profiles.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

/* A server can invent whoever sends something. Of them nothing is to stay, and a colleague's first message always is. */

const HOUR = 3_600_000;
const MOST = LIMITS.strangersInAnHour.value;

let relay: Relay;
let ada: TestClient;
let queueId = 1_000_000;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
});

function invented(userId = UserId.parse(crypto.randomUUID())): Envelope {
  return {
    queueId: (queueId += 1),
    messageId: MessageId.parse(crypto.randomUUID()),
    sender: { userId, deviceId: DeviceId.parse(1) },
    position: ada.time * 1000 + queueId,
    payload: 'A'.repeat(400),
    key: { type: 'message', body: 'AAAA' },
  };
}

/** As the inbox does it, until nothing more can be taken in. */
async function take(envelopes: readonly Envelope[]) {
  const done = { acknowledged: 0, dropped: 0, held: new Set<UserId>(), asked: new Set<UserId>() };
  let rest = envelopes;
  let listsChecked: readonly UserId[] = [];
  while (rest.length > 0) {
    const outcome = await ada.vault.receive({ envelopes: rest.slice(0, 20), listsChecked });
    done.acknowledged += outcome.acknowledge.length;
    done.dropped += outcome.dropped;
    for (const userId of outcome.held) done.held.add(userId);
    const gone = (envelope: Envelope) =>
      outcome.acknowledge.includes(envelope.queueId) || outcome.held.includes(envelope.sender.userId);
    rest = rest.filter((envelope) => !gone(envelope));
    listsChecked = outcome.needLists ?? [];
    for (const userId of listsChecked) done.asked.add(userId);
    if (listsChecked.length > 0) await ada.fetchLists(listsChecked);
  }
  return done;
}

/** What the disk holds; the vault is closed meanwhile. */
async function onDisk<T>(act: (profile: Profile) => Promise<T>): Promise<T> {
  await ada.vault.close();
  const profiles = await Profiles.load({ indexedDB: ada.disk, IDBKeyRange }, () => ada.time, null, HOME);
  const result = await act((await profiles.openLast())!);
  profiles.close();
  await ada.restart();
  return result;
}

/** How many rows each table holds. */
function stored(): Promise<Record<string, number>> {
  return onDisk(async ({ db }) => {
    const counts = await Promise.all(db.tables.map(async (table) => [table.name, await table.count()] as const));
    return Object.fromEntries(counts);
  });
}

const conversations = async () => (await ada.vault.conversations()).map(({ userId }) => userId);

describe('what comes of people who do not exist', () => {
  it('is acknowledged and leaves nothing', async () => {
    const before = await stored();
    const flood = Array.from({ length: 50 }, () => invented());
    const more = flood.slice(0, 5).map(({ sender }) => invented(sender.userId));
    expect(await take([...flood, ...more])).toMatchObject({ acknowledged: 55, dropped: 55 });
    expect(await conversations()).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  it('is left beyond a bound, until the next hour', async () => {
    const flood = Array.from({ length: MOST + 100 }, () => invented());
    const { asked, dropped, held } = await take(flood);
    expect([asked.size, dropped, held.size]).toEqual([MOST, MOST, 100]);
    ada.time += HOUR;
    expect(await take(flood.slice(MOST))).toMatchObject({ dropped: 100 });
  });

  it('is dropped, too, where a server has told their names', async () => {
    const one = invented();
    const named = { username: 'nobody', displayName: 'Nobody', role: 'member' } as const;
    await ada.vault.learnPeople([{ userId: one.sender.userId, ...named }]);
    expect(await take([one])).toMatchObject({ dropped: 1 });
    expect(await conversations()).toEqual([]);
  });
});

describe('a colleague', () => {
  it('whose first message is among them is read, in this hour or the next', async () => {
    const ben = await TestClient.signUp(relay, 'ben');
    const cat = await TestClient.signUp(relay, 'cat');
    for (const first of [ben, cat]) await first.write(ada, `from ${first.account.username}`);
    const [fromBen, fromCat] = relay.queue(ada.address).splice(0);
    const flood = Array.from({ length: MOST + 100 }, () => invented());
    const { held } = await take([...flood.slice(0, 50), fromBen!, ...flood.slice(50), fromCat!]);
    expect(await ada.texts(ben)).toEqual(['from ben']);
    expect(held).toContain(cat.userId);
    ada.time += HOUR;
    await take([fromCat!]);
    expect(await ada.texts(cat)).toEqual(['from cat']);
  });

  it('whose clock is ahead is read once it is right', async () => {
    const ben = await TestClient.signUp(relay, 'ben');
    await ben.write(ada, 'first');
    const [first] = relay.queue(ada.address).splice(0);
    ada.time -= 72 * HOUR;
    expect((await take([first!])).held).toContain(ben.userId);
    ada.time += 72 * HOUR;
    expect(await take([first!])).toMatchObject({ acknowledged: 1, dropped: 0 });
    expect(await ada.texts(ben)).toEqual(['first']);
  });

  it('who is known is not kept waiting, and what cannot be read is shown', async () => {
    const ben = await TestClient.signUp(relay, 'ben');
    await ben.write(ada, 'hello');
    await ada.fetch();
    await take(Array.from({ length: MOST + 1 }, () => invented()));
    await ben.write(ada, 'again');
    const device = { ...invented(ben.userId), sender: { userId: ben.userId, deviceId: DeviceId.parse(77) } };
    expect(await take([device, ...relay.queue(ada.address).splice(0)])).toMatchObject({ acknowledged: 2, dropped: 0 });
    expect(await ada.texts(ben)).toEqual(['hello', 'again', '(unreadable)']);
  });

  it('to whom one has written is not dropped where the server withholds the list', async () => {
    const ben = UserId.parse(crypto.randomUUID());
    await ada.vault.setDraft({ conversation: ben, text: 'to somebody' });
    expect(await take([invented(ben)])).toMatchObject({ dropped: 0 });
    expect(await conversations()).toEqual([ben]);
  });
});

it('people whose lists verify are no more than so many an hour, though a server can invent them', async () => {
  const strangers: TestClient[] = [];
  for (let i = 0; i < 12; i += 1) strangers.push(await TestClient.signUp(relay, `stranger${i}`));
  await take(Array.from({ length: MOST - 10 }, () => invented()));
  const { held } = await take(strangers.map(({ userId }) => invented(userId)));
  expect(held.size).toBe(2);
  expect(await conversations()).toHaveLength(10);
  expect((await stored())['peers']).toBe(11);
});

describe('what an earlier version kept of people who do not exist', () => {
  const anybody = () => UserId.parse(crypto.randomUUID());
  const entry = (conversation: UserId, body: MessageBody): Message => ({
    messageId: MessageId.parse(crypto.randomUUID()),
    conversation,
    sender: conversation,
    mine: false,
    sentAt: ada.time,
    order: (queueId += 1),
    state: null,
    body,
  });

  async function kept(entries: readonly Message[]): Promise<void> {
    await onDisk(async (profile) => {
      const batch = new Batch(profile);
      for (const message of entries) {
        batch.putMessage(message);
        batch.markUnread(message, false);
      }
      await batch.commit();
    });
  }

  it('is forgotten at the start, and nothing else', async () => {
    const ben = await TestClient.signUp(relay, 'ben');
    await ben.write(ada, 'hello');
    await ada.fetch();
    const cat = await TestClient.signUp(relay, 'cat');
    await ada.fetchLists([cat.userId]);
    const before = await stored();
    const [texts, drafted, damaged, many] = [anybody(), anybody(), anybody(), anybody()];
    const unreadable = { kind: 'unreadable' } as const;
    const others = [
      entry(ben.userId, unreadable),
      entry(cat.userId, unreadable),
      entry(texts, { kind: 'text', text: 'before the account was removed' }),
      entry(texts, unreadable),
      entry(drafted, unreadable),
      entry(damaged, { kind: 'text', text: 'once' }),
      ...Array.from({ length: LIMITS.unreadableOfNobody.value + 1 }, () => entry(many, unreadable)),
    ];
    await kept([...Array.from({ length: 500 }, () => entry(anybody(), unreadable)), ...others]);
    await ada.vault.setDraft({ conversation: drafted, text: 'to be sent' });
    await onDisk(({ db }) =>
      db.messages
        .where('messageId')
        .equals(others[5]!.messageId)
        .modify({ sealed: new Uint8Array(40) }),
    );
    const left = [ben.userId, cat.userId, texts, drafted, damaged, many].toSorted();
    expect((await conversations()).toSorted()).toEqual(left);
    const { messages = 0, unread = 0, peers } = await stored();
    expect([messages, unread, peers]).toEqual([
      before['messages']! + others.length,
      before['unread']! + others.length,
      before['peers'],
    ]);
    expect((await conversations()).toSorted()).toEqual(left);
  });
});
