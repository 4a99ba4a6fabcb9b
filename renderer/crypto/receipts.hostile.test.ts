import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageContent, ReceivedContent } from '../../protocol/chat.ts';
import type { Envelope } from '../../protocol/chat.ts';
import type { MessageId } from '../../protocol/ids.ts';
import { Batch } from './batch.ts';
import { LIMITS } from './limits.ts';
import { Sealer } from './sealer.ts';
import { SettledMessages } from './settled-messages.ts';
import { Relay } from './testing/relay.ts';
import { sendContent } from './testing/send-content.ts';
import { TestClient } from './testing/test-client.ts';

/* A receipt shows nowhere and changes nothing twice, so nothing but these bounds holds what many of them cost. */

const MOST = 200;
const RECEIPTS = 20;

let relay: Relay;
let ada: TestClient;
let eve: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  eve = await TestClient.signUp(relay, 'eve');
  await ada.write(eve, 'hello');
  await eve.fetch();
  await eve.write(ada, 'hello');
  await ada.fetch();
});

/** Eve's client is one of her own: what of hers waits for Ada then. */
async function receipts(all: readonly (readonly MessageId[])[], state = 'read'): Promise<Envelope[]> {
  const content = (messageIds: readonly MessageId[]) => ({ kind: 'receipt', state, messageIds });
  const plain = { version: 1, conversation: ada.userId, sentAt: ada.time };
  await sendContent(
    eve,
    ada.userId,
    all.map((messageIds) => ({ ...plain, content: content(messageIds) })),
  );
  return relay.queue(ada.address).splice(0);
}

/** Messages between the two, `MOST` of one of them. */
async function many(from: TestClient, to: TestClient): Promise<MessageId[]> {
  for (let i = 0; i < MOST; i += 1) await from.enqueue(to, `${i}`);
  await from.flush();
  await to.fetch();
  const all = await ada.messages(eve);
  return all
    .filter(({ sender }) => sender === from.userId)
    .map(({ messageId }) => messageId)
    .slice(-MOST);
}

/** How many rows of messages were opened meanwhile. */
async function opened(act: () => Promise<unknown>): Promise<number> {
  const open = vi.spyOn(Sealer.prototype, 'open');
  await act();
  const rows = open.mock.calls.filter(([table]) => table === 'messages').length;
  open.mockRestore();
  return rows;
}

/** Every turn until all is taken in, and what each took. */
async function turns(envelopes: readonly Envelope[]) {
  const taken: number[] = [];
  const costly: string[] = [];
  for (let rest = envelopes; rest.length > 0;) {
    const outcome = await ada.vault.receive({ envelopes: rest, listsChecked: [] });
    expect(outcome.acknowledge.length).toBeGreaterThan(0);
    taken.push(outcome.acknowledge.length);
    costly.push(...outcome.costly);
    rest = rest.filter(({ queueId }) => !outcome.acknowledge.includes(queueId));
  }
  return { taken, costly };
}

describe('receipts that name one message again and again', () => {
  it.each([
    ['of the sender’s', 1],
    ['of the receiver’s', 0],
  ])('%s open it once', async (_, place) => {
    const messages = await ada.messages(eve);
    const id = messages.find(({ mine }) => mine === (place === 0))!.messageId;
    const flood = await receipts(Array.from({ length: RECEIPTS }, () => Array.from({ length: MOST }, () => id)));
    expect(await opened(() => turns(flood))).toBeLessThanOrEqual(2);
    expect((await ada.states(eve))[0]).toBe(place === 0 ? 'read' : 'sent');
  });

  it('are written by no client of ours, and understood', () => {
    const messageIds = [crypto.randomUUID(), crypto.randomUUID()];
    const of = (ids: readonly string[]) => {
      const content = { kind: 'receipt', state: 'read', messageIds: ids };
      return { version: 1, conversation: crypto.randomUUID(), sentAt: 1_790_000_000_000, content };
    };
    expect(MessageContent.safeParse(of(messageIds)).success).toBe(true);
    expect(MessageContent.safeParse(of([...messageIds, messageIds[0]!])).success).toBe(false);
    expect(ReceivedContent.safeParse(of([...messageIds, messageIds[0]!])).success).toBe(true);
  });
});

describe('receipts that name many messages', () => {
  it('are one to a turn, name their device to come after others, and lose nothing', async () => {
    const ids = await many(ada, eve);
    await eve.sendReceipts();
    await ada.fetch();
    expect((await ada.states(eve)).slice(-MOST)).toEqual(ids.map(() => 'delivered'));
    const flood = await receipts([ids, ids.toReversed(), ids]);
    const { taken, costly } = await turns(flood);
    expect(taken[0]).toBe(1);
    expect(costly[0]).toBe(`${eve.userId}.${eve.address.deviceId}`);
    expect((await ada.states(eve)).slice(-MOST)).toEqual(ids.map(() => 'read'));
  });

  it('cost nothing more where no receipt can change them', async () => {
    const [theirs, own] = [await many(eve, ada), await many(ada, eve)];
    const flood = await receipts(Array.from({ length: RECEIPTS }, (_, i) => (i % 2 === 0 ? theirs : own)));
    await turns(flood.splice(0, 2));
    expect(await opened(() => turns(flood))).toBe(0);
    expect((await ada.states(eve)).slice(-MOST)).toEqual(own.map(() => 'read'));
  });

  it('open none of another conversation', async () => {
    const cat = await TestClient.signUp(relay, 'cat');
    await ada.write(cat, 'hello');
    await cat.fetch();
    const [foreign] = await ada.messages(cat);
    const flood = await receipts([[foreign!.messageId]]);
    expect(await opened(() => turns(flood))).toBe(0);
    expect(await ada.states(cat)).toEqual(['sent']);
  });

  it('are applied once the disk takes them where it did not', async () => {
    const ids = await many(ada, eve);
    const flood = await receipts([ids]);
    const commit = vi.spyOn(Batch.prototype, 'commit').mockRejectedValueOnce(new Error('the disk is full'));
    await expect(ada.vault.receive({ envelopes: flood, listsChecked: [] })).rejects.toThrow('full');
    commit.mockRestore();
    await turns(flood);
    expect((await ada.states(eve)).slice(-MOST)).toEqual(ids.map(() => 'read'));
  });
});

it('no more is remembered of messages than a bound', () => {
  const settled = new SettledMessages();
  const ids = Array.from({ length: LIMITS.settledMessages.value + 1 }, () => crypto.randomUUID() as MessageId);
  for (const id of ids) settled.add(id);
  expect([settled.has(ids[0]!), settled.has(ids[1]!), settled.has(ids.at(-1)!)]).toEqual([false, true, true]);
});
