import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageId } from '../../protocol/ids.ts';
import type { Message } from '../modules/chat/model.ts';
import { Batch } from './batch.ts';
import { LIMITS } from './limits.ts';
import type { Profile } from './profile.ts';
import { Profiles } from './profiles.ts';
import { Sealer } from './sealer.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

const TURN = LIMITS.readInATurn.value;

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  await ada.write(ben, 'hello');
  await ben.fetch();
  await ben.vault.markRead(ada.userId);
  await ben.sendReceipts();
  await ada.fetch();
});

/** What the disk holds; the vault is closed meanwhile. */
async function onDisk<T>(client: TestClient, act: (profile: Profile) => Promise<T>): Promise<T> {
  await client.vault.close();
  const profiles = await Profiles.load({ indexedDB: client.disk, IDBKeyRange }, () => client.time, null, HOME);
  const result = await act((await profiles.openLast())!);
  profiles.close();
  await client.restart();
  return result;
}

/** As if so many messages had come of Ada, the last ones unreadable. */
async function receiveMany(count: number, unreadable = 0): Promise<MessageId[]> {
  const messages = Array.from({ length: count }, (_, i): Message => ({
    messageId: MessageId.parse(crypto.randomUUID()),
    conversation: ada.userId,
    sender: ada.userId,
    mine: false,
    sentAt: ben.time,
    order: ben.time * 1000 + 100 + i,
    state: null,
    body: i < count - unreadable ? { kind: 'text', text: `${i}` } : { kind: 'unreadable' },
  }));
  await onDisk(ben, async (profile) => {
    const batch = new Batch(profile);
    for (const message of messages) {
      batch.putMessage(message);
      batch.markUnread(message, message.body.kind !== 'unreadable');
    }
    await batch.commit();
  });
  return messages.map(({ messageId }) => messageId);
}

async function unread(): Promise<number | undefined> {
  return (await ben.vault.conversations())[0]?.unread;
}

/** Every turn until all that was there is read. Returns what is unread after each. */
async function readAll(): Promise<number[]> {
  const left: number[] = [];
  let through: MessageId | null = null;
  do {
    const turn = await ben.vault.markRead(ada.userId, through);
    through = turn.through;
    left.push(turn.conversations[0]!.unread);
  } while (through !== null);
  return left;
}

/** The ids that receipts on their way to Ada say are read. */
function due(): Promise<readonly string[]> {
  return onDisk(ben, async ({ db }) =>
    (await db.receipts.toArray()).map(({ messageId, state }) => `${state} ${messageId}`).sort(),
  );
}

describe('thousands of unread messages', () => {
  it('are marked in turns, without opening a single one', async () => {
    await receiveMany(5 * TURN + 7);
    await ben.vault.conversations();
    const open = vi.spyOn(Sealer.prototype, 'open');
    expect(await readAll()).toEqual([4 * TURN + 7, 3 * TURN + 7, 2 * TURN + 7, TURN + 7, 7, 0]);
    expect(open).not.toHaveBeenCalled();
    open.mockRestore();
    await ben.restart();
    expect(await unread()).toBe(0);
  });

  it('let other operations go between the turns', async () => {
    await receiveMany(4 * TURN);
    const done: string[] = [];
    const reading = readAll().then(() => done.push('read'));
    await ben.vault.enqueueText({
      conversation: ada.userId,
      messageId: MessageId.parse(crypto.randomUUID()),
      text: 'mine',
      sentAt: ben.time,
    });
    done.push('written');
    await reading;
    expect(done).toEqual(['written', 'read']);
  });

  it('are each confirmed once, but for those that could not be read', async () => {
    const ids = await receiveMany(2 * TURN + 10, 5);
    await readAll();
    const readable = ids.slice(0, -5).map((messageId) => `read ${messageId}`);
    expect(await due()).toEqual(readable.sort());
    while (await ben.vault.collectReceipts());
    expect(await due()).toEqual([]);
    await ben.fetchLists([ada.userId]);
    await ben.flush();
    // 200 to a message.
    expect(relay.queue(ada.address)).toHaveLength(3);
  });

  it('lose and double nothing where the window is gone in the middle', async () => {
    const ids = await receiveMany(3 * TURN);
    const first = await ben.vault.markRead(ada.userId);
    await ben.restart();
    expect(await unread()).toBe(2 * TURN);
    // What the ended turn named is of no use to the next vault, and does no harm.
    await ben.vault.markRead(ada.userId, first.through);
    await readAll();
    expect(await unread()).toBe(0);
    expect(await due()).toEqual(ids.map((messageId) => `read ${messageId}`).sort());
  });

  it('that come while older ones are being marked stay unread', async () => {
    await receiveMany(2 * TURN);
    const { through } = await ben.vault.markRead(ada.userId);
    await ada.write(ben, 'later');
    await ben.fetch();
    const last = await ben.vault.markRead(ada.userId, through);
    expect(last).toMatchObject({ through: null, conversations: [{ unread: 1 }] });
  });

  it('that were read on another device meanwhile end the turns, and take nothing newer with them', async () => {
    await receiveMany(2 * TURN);
    const { through } = await ben.vault.markRead(ada.userId);
    await ada.write(ben, 'later');
    await onDisk(ben, ({ db }) => db.unread.delete(through!));
    await ben.fetch();
    const turn = await ben.vault.markRead(ada.userId, through);
    expect(turn).toMatchObject({ through: null, conversations: [{ unread: TURN }] });
  });

  it('of an earlier version, which do not say what they are, are confirmed alike', async () => {
    const ids = await receiveMany(20, 5);
    await onDisk(ben, async ({ db }) => {
      const rows = await db.unread.toArray();
      await db.unread.bulkPut(rows.map(({ messageId, conversation }) => ({ messageId, conversation })));
    });
    await readAll();
    const readable = ids.slice(0, -5).map((messageId) => `read ${messageId}`);
    expect(await due()).toEqual(readable.sort());
  });
});

it('receipts that are due by the thousand go into the outbox in turns', async () => {
  const limit = LIMITS.receiptsInATurn.value;
  await onDisk(ben, ({ db }) =>
    db.receipts.bulkPut(
      Array.from({ length: limit + 1 }, () => ({
        messageId: MessageId.parse(crypto.randomUUID()),
        conversation: ada.userId,
        state: 'delivered' as const,
      })),
    ),
  );
  expect(await ben.vault.collectReceipts()).toBe(true);
  expect(await due()).toHaveLength(1);
  expect(await ben.vault.collectReceipts()).toBe(false);
  expect(await ben.vault.collectReceipts()).toBe(false);
  expect(await due()).toEqual([]);
});
