import { Dexie } from 'dexie';
import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { CallId, LATEST_TIME, MessageId } from '../../protocol/ids.ts';
import { Profiles } from './profiles.ts';
import { QUEUED_ORDER } from './queued-message.ts';
import { Relay } from './testing/relay.ts';
import { sendContent as send } from './testing/send-content.ts';
import { HOME, TestClient } from './testing/test-client.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  await ada.write(ben, 'hello');
  await ben.fetch();
});

const MAX = Number.MAX_SAFE_INTEGER;

function newId(): MessageId {
  return MessageId.parse(crypto.randomUUID());
}

/** Ada's client is one of her own. */
async function sendContent(changes: readonly object[]): Promise<void> {
  const plain = { version: 1, conversation: ben.userId, sentAt: ada.time, content: { kind: 'text', text: 'hostile' } };
  await send(
    ada,
    ben.userId,
    changes.map((change) => ({ ...plain, ...change })),
  );
}

/** Opens again, and reads all that start-up reads. */
async function startUp(client: TestClient) {
  await client.restart();
  const [conversations, calls] = [await client.vault.conversations(), await client.vault.recentCalls(100)];
  const pages = conversations.map(({ userId }) =>
    client.vault.messages({ conversation: userId, before: null, limit: 50 }),
  );
  const messages = (await Promise.all(pages)).flatMap((page) => page.messages);
  return { conversations, messages, calls };
}

describe('a time of sending that nobody can show', () => {
  const times = [MAX, -MAX, 8.64e15, 8.64e15 + 1, LATEST_TIME + 1, 1e308, -1, -0, 0.5, 0, 1];

  it('does not lose the message, and is replaced by the time of its position', async () => {
    await sendContent(times.map((sentAt) => ({ sentAt })));
    await ben.fetch();
    const { messages } = await startUp(ben);
    const hostile = messages.slice(1);
    expect(hostile.map(({ body }) => body.kind)).toEqual(times.map(() => 'text'));
    for (const { sentAt, order } of hostile) {
      expect(new Date(sentAt).toISOString()).toBeTypeOf('string');
      expect(sentAt).toBe(Math.floor(order / 1000));
    }
  });

  it('is kept where a clock is merely wrong by hours, and where a message waited for weeks', async () => {
    const hour = 3_600_000;
    const sentAt = [ada.time + 5 * hour, ada.time - 600 * hour];
    await sendContent(sentAt.map((time) => ({ sentAt: time })));
    await ben.fetch();
    expect((await ben.messages(ada)).slice(1).map((message) => message.sentAt)).toEqual(sentAt);
  });

  it('makes a message unreadable only where it is no number', async () => {
    await sendContent([{ sentAt: 'now' }, { sentAt: null }, { sentAt: ada.time }]);
    await ben.fetch();
    expect((await ben.texts(ada)).slice(1)).toEqual(['(unreadable)', '(unreadable)', 'hostile']);
  });
});

describe('a position of a hostile server', () => {
  const positions = [MAX, MAX - 1, QUEUED_ORDER, QUEUED_ORDER - 1, LATEST_TIME * 1000, 1];

  it('neither stops start-up nor holds the end of the conversation', async () => {
    for (const position of positions) {
      await ada.write(ben, `at ${position}`);
      const [envelope] = relay.queue(ben.address).splice(0);
      await ben.receive([{ ...envelope!, position }]);
    }
    await ben.enqueue(ada, 'mine, queued');
    ben.time += 1000;
    await ada.write(ben, 'after');
    const [last] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...last!, position: ben.time * 1000 }]);
    const { conversations, messages } = await startUp(ben);
    expect(conversations).toHaveLength(1);
    expect(messages).toHaveLength(positions.length + 3);
    const texts = messages.map(({ body }) => (body.kind === 'text' ? body.text : body.kind));
    expect(texts.slice(-2)).toEqual(['after', 'mine, queued']);
    expect(messages.every(({ order }) => order <= QUEUED_ORDER)).toBe(true);
  });

  it('in the answer to a send is taken as now', async () => {
    await ada.enqueue(ben, 'mine');
    const mine = (await ada.messages(ben)).at(-1)!;
    ada.time += 1000;
    await ada.vault.sent({ messageId: mine.messageId, position: MAX });
    const { conversations, messages } = await startUp(ada);
    expect(conversations).toHaveLength(1);
    expect(messages.at(-1)).toMatchObject({ messageId: mine.messageId, state: 'sent' });
    expect(Math.floor(messages.at(-1)!.order / 1000)).toBe(ada.time);
  });

  it('of what cannot be read gives a time that can be shown', async () => {
    await ada.write(ben, 'altered');
    const [envelope] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...envelope!, position: MAX, payload: envelope!.payload.replace(/^..../, 'AAAA') }]);
    const { messages } = await startUp(ben);
    expect(messages.at(-1)).toMatchObject({ body: { kind: 'unreadable' }, sentAt: ben.time });
  });
});

describe('a database that an earlier version has stored such numbers in', () => {
  /** Rows as that version wrote them, in a database of its version. */
  async function poison(rows: readonly { order: number; part: object; waiting?: boolean }[]): Promise<MessageId[]> {
    await ben.vault.close();
    const profiles = await Profiles.load({ indexedDB: ben.disk, IDBKeyRange }, () => ben.time, null, HOME);
    const { db, sealer } = (await profiles.openLast())!;
    const kept = await Promise.all(db.tables.map(async (table) => [table.name, await table.toArray()] as const));
    const poisoned = await Promise.all(
      rows.map(async ({ order, part, waiting }) => {
        const messageId = newId();
        const sealed = await sealer.seal('messages', messageId, part);
        return { messageId, conversation: ada.userId, order, sealed, waiting };
      }),
    );
    const stores = Object.fromEntries(db.tables.map(({ name, schema }) => [name, sourceOf(schema)]));
    await db.delete();
    profiles.close();
    const old = new Dexie(db.name, { indexedDB: ben.disk, IDBKeyRange });
    old.version(1).stores(stores);
    for (const [name, stored] of kept) await old.table(name).bulkPut([...stored]);
    for (const { waiting, ...row } of poisoned) {
      await old.table('messages').put(row);
      const { messageId, conversation, sealed } = row;
      if (waiting) await old.table('outbox').put({ messageId, conversation, waiting: 1, sealed });
    }
    old.close();
    return poisoned.map(({ messageId }) => messageId);
  }

  function sourceOf({ primKey, indexes }: Dexie['tables'][number]['schema']): string {
    return [primKey, ...indexes].map(({ src }) => src).join(', ');
  }

  const text = (sender: string, sentAt: unknown) => ({
    sender,
    sentAt,
    body: { kind: 'text', text: 'poison' },
    state: null,
  });

  it('opens, shows every row, and is in order again', async () => {
    const callId = CallId.parse(crypto.randomUUID());
    const call = { kind: 'call', callId, media: 'voice', outcome: 'answered', durationMs: 1e300 };
    const ids = await poison([
      { order: MAX, part: text(ada.userId, MAX) },
      { order: 2 ** 53, part: { ...text(ben.userId, 1), state: 'queued' }, waiting: true },
      { order: MAX - 1, part: text(ada.userId, null) },
      { order: ben.time * 1000 + 10, part: { ...text(ada.userId, -1), body: call } },
      { order: ben.time * 1000 + 11, part: { ...text(ada.userId, 8.64e15 + 1), body: { kind: 'of-the-future' } } },
    ]);
    const { conversations, messages } = await startUp(ben);
    expect(conversations).toHaveLength(1);
    expect(messages.map(({ messageId }) => messageId).slice(1)).toEqual([ids[3], ids[4], ids[2], ids[0], ids[1]]);
    for (const { sentAt, order } of messages) {
      expect(new Date(sentAt).toISOString()).toBeTypeOf('string');
      expect(order).toBeLessThanOrEqual(QUEUED_ORDER + messages.length);
    }
    expect(messages.map(({ body }) => body.kind)).toEqual(['text', 'call', 'unreadable', 'text', 'text', 'text']);
    const entry = messages[1]!.body;
    expect(entry.kind === 'call' && entry.durationMs).toBe(30 * 24 * 3_600_000);
    await ada.write(ben, 'goes on');
    await ben.fetch();
    expect(await ben.texts(ada)).toContain('goes on');
  });

  it('shows a row that does not open as unreadable, and the others as they are', async () => {
    const [damaged] = await poison([{ order: ben.time * 1000 + 10, part: text(ada.userId, ben.time) }]);
    const profiles = await Profiles.load({ indexedDB: ben.disk, IDBKeyRange }, () => ben.time, null, HOME);
    const { db } = (await profiles.openLast())!;
    await db.messages.update(damaged!, { sealed: new Uint8Array(40) });
    profiles.close();
    const { messages } = await startUp(ben);
    expect(messages.map(({ body }) => body.kind)).toEqual(['text', 'unreadable']);
  });
});
