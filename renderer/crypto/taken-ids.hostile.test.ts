import { IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CallId } from '../../protocol/ids.ts';
import type { MessageId } from '../../protocol/ids.ts';
import type { CallOutcome, Message } from '../modules/chat/model.ts';
import { Profiles } from './profiles.ts';
import type * as QueuedMessage from './queued-message.ts';
import { Relay } from './testing/relay.ts';
import { HOME, TestClient } from './testing/test-client.ts';

const chosen = vi.hoisted(() => ({ id: null as MessageId | null }));
vi.mock('./queued-message.ts', async (original) => {
  const real = await original<typeof QueuedMessage>();
  return { ...real, newMessageId: (now: number) => chosen.id ?? real.newMessageId(now) };
});

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let eve: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  eve = await TestClient.signUp(relay, 'eve');
});

function newCall(): CallId {
  return CallId.parse(crypto.randomUUID());
}

/** A client of one's own: announces a call under a message id of its choice. */
async function callUnder(messageId: MessageId, from: TestClient, callId = newCall()): Promise<CallId> {
  chosen.id = messageId;
  try {
    await from.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
  } finally {
    chosen.id = null;
  }
  await from.flush();
  return callId;
}

async function writeUnder(messageId: MessageId, from: TestClient, text: string): Promise<void> {
  await from.vault.enqueueText({ conversation: ben.userId, messageId, text, sentAt: from.time });
  await from.flush();
}

/** The server tells Ben that the call is over, as it does where somebody rings and hangs up. */
function end(callId: CallId, from: TestClient, outcome: CallOutcome = 'missed', durationMs: number | null = null) {
  return ben.vault.endCall({ conversation: from.userId, callId, media: 'voice', outcome, durationMs });
}

function shownOf({ body }: Message): string {
  if (body.kind === 'text') return body.text;
  return body.kind === 'call' ? body.outcome : body.kind;
}

async function shown(other: TestClient): Promise<string[]> {
  return (await ben.messages(other)).map(shownOf);
}

async function idOf(text: string, other: TestClient): Promise<MessageId> {
  return (await ben.messages(other)).find((message) => shownOf(message) === text)!.messageId;
}

async function recentIds(): Promise<MessageId[]> {
  return (await ben.vault.recentCalls(100)).map(({ messageId }) => messageId);
}

describe('a call under the id of a message that is there', () => {
  it('of the person who is called, leaves that message as it is', async () => {
    await ben.write(eve, 'I do NOT agree');
    await eve.fetch();
    const callId = await callUnder(await idOf('I do NOT agree', eve), eve);
    await ben.fetch();
    await end(callId, eve);
    expect(await shown(eve)).toContain('I do NOT agree');
    await ben.restart();
    expect((await shown(eve)).sort()).toEqual(['I do NOT agree', 'missed']);
  });

  it('of the caller’s own, sent by another device, leaves that message as it is', async () => {
    await eve.write(ben, 'pay me, and I keep quiet');
    await ben.fetch();
    const second = await TestClient.link(eve);
    await ben.fetchLists([eve.userId]);
    const callId = await callUnder(await idOf('pay me, and I keep quiet', eve), second);
    await ben.fetch();
    await end(callId, eve);
    expect((await shown(eve)).sort()).toEqual(['missed', 'pay me, and I keep quiet']);
  });

  it('of a third person, of which a server told, leaves that message where it is', async () => {
    await ada.write(ben, 'from Ada');
    await ben.fetch();
    const callId = await callUnder(await idOf('from Ada', ada), eve);
    await ben.fetch();
    await end(callId, eve);
    expect(await shown(ada)).toEqual(['from Ada']);
    expect(await shown(eve)).toEqual(['missed']);
  });

  it('is an entry of its own, by however many people; each stands once among the calls', async () => {
    await ben.write(eve, 'text');
    await eve.fetch();
    const id = await idOf('text', eve);
    const calls = [await callUnder(id, eve), await callUnder(id, ada)] as const;
    await ben.fetch();
    await end(calls[0], eve);
    await end(calls[1], ada);
    await ben.restart();
    const ids = await recentIds();
    expect(ids).toHaveLength(2);
    expect(new Set(ids)).toHaveLength(2);
    expect(ids).not.toContain(id);
  });
});

describe('a message under an id that is taken', () => {
  it('by somebody who had it first, is shown nevertheless, once', async () => {
    await ada.write(ben, 'the real one');
    const [real] = relay.queue(ben.address).splice(0);
    await writeUnder(real!.messageId, eve, 'first');
    await ben.fetch();
    await ben.receive([real!]);
    await ben.restart();
    await ben.receive([real!]);
    expect(await shown(ada)).toEqual(['the real one']);
    expect(await shown(eve)).toEqual(['first']);
    expect((await ben.vault.conversations()).map(({ unread }) => unread)).toEqual([1, 1]);
  });

  it('by a message of the one who gets it, is shown besides that', async () => {
    await ben.write(eve, 'mine');
    await eve.fetch();
    await writeUnder(await idOf('mine', eve), eve, 'hers');
    await ben.fetch();
    await ben.restart();
    expect((await shown(eve)).sort()).toEqual(['hers', 'mine']);
  });

  it('by garbage in another’s name, is shown nevertheless', async () => {
    await eve.write(ben, 'a real one of Eve');
    await ada.write(ben, 'the real one');
    const [garbage, real] = relay.queue(ben.address).splice(0);
    await ben.receive([{ ...garbage!, messageId: real!.messageId }]);
    await ben.receive([real!]);
    expect(await shown(ada)).toEqual(['the real one']);
  });

  it('that could not be read, is told of nevertheless', async () => {
    await ada.write(ben, 'altered');
    const [altered] = relay.queue(ben.address).splice(0);
    await writeUnder(altered!.messageId, eve, 'first');
    await ben.fetch();
    await ben.receive([{ ...altered!, payload: altered!.payload.replace(/^..../, 'AAAA') }]);
    expect(await shown(ada)).toEqual(['unreadable']);
  });

  it('is not confirmed to its sender, who knows it by another id, and the other’s is', async () => {
    await ada.write(ben, 'the real one');
    const [real] = relay.queue(ben.address).splice(0);
    await writeUnder(real!.messageId, eve, 'first');
    await ben.fetch();
    await ben.receive([real!]);
    await ben.vault.markRead(ada.userId);
    await ben.sendReceipts();
    expect(relay.queue(ada.address)).toEqual([]);
    expect(relay.queue(eve.address)).toHaveLength(1);
  });

  it('by the same person, is the same message', async () => {
    await eve.write(ben, 'once');
    await ben.fetch();
    const second = await TestClient.link(eve);
    await ben.fetchLists([eve.userId]);
    await writeUnder(await idOf('once', eve), second, 'twice');
    await ben.fetch();
    expect(await shown(eve)).toEqual(['once']);
  });
});

describe('a message under the id of a receipt that is still on its way', () => {
  async function textUnderReceipt(): Promise<MessageId> {
    await eve.write(ben, 'read this');
    await ben.fetch();
    await ben.vault.collectReceipts();
    await ben.fetchLists([eve.userId]);
    const sealed = await ben.sealOldest(eve.userId);
    if (sealed === null || !('params' in sealed)) throw new Error('no receipt');
    // Eve has the receipt, Ben not the server's answer.
    await writeUnder(sealed.messageId, eve, 'under its id');
    await ben.fetch();
    return sealed.messageId;
  }

  it('does not become one of this device’s when the answer comes', async () => {
    const messageId = await textUnderReceipt();
    const before = await ben.messages(eve);
    await ben.vault.sent({ messageId, position: ben.time * 1000 + 5_000_000 });
    expect(await ben.messages(eve)).toEqual(before);
    expect(await ben.vault.outbox()).toEqual([]);
  });

  it('is not the one that failed, and not to be discarded', async () => {
    const messageId = await textUnderReceipt();
    expect(await ben.vault.sendFailed(messageId, 'storage_full')).toMatchObject({ messages: [] });
    await ben.vault.discard(messageId);
    expect((await ben.messages(eve)).map(({ state }) => state)).toEqual([null, null]);
    expect(await shown(eve)).toEqual(['read this', 'under its id']);
    expect(await ben.vault.outbox()).toEqual([]);
  });
});

describe('the entry of a call', () => {
  it('of one’s own is not moved, taken or ended otherwise by what the other announces under its id', async () => {
    const callId = newCall();
    await ben.vault.enqueueCall({ conversation: eve.userId, callId, media: 'video' });
    await ben.flush();
    const [before] = await ben.messages(eve);
    await eve.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await eve.flush();
    await ben.fetch();
    expect(await ben.messages(eve)).toEqual([before]);
    await end(callId, eve);
    const [entry] = await ben.messages(eve);
    expect(entry).toMatchObject({ mine: true, body: { outcome: 'unanswered', media: 'video' } });
  });

  it('takes its place once: a further announcement does not move it', async () => {
    const callId = newCall();
    await eve.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await eve.flush();
    await ben.fetch();
    const before = await ben.messages(eve);
    const second = await TestClient.link(eve);
    await ben.fetchLists([eve.userId]);
    await second.vault.enqueueCall({ conversation: ben.userId, callId, media: 'video' });
    await second.flush();
    await ben.fetch();
    expect(await ben.messages(eve)).toEqual(before);
  });

  it('that was named before its caller announced it does not stop the announcement', async () => {
    const callId = newCall();
    await eve.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await eve.flush();
    await ben.fetch();
    await ben.vault.enqueueCall({ conversation: eve.userId, callId, media: 'voice' });
    expect(await shown(eve)).toEqual(['missed', 'ongoing']);
    expect((await ben.vault.ongoingCalls()).calls).toMatchObject([{ callId, mine: true }]);
    expect(await ben.vault.outbox()).toContain(eve.userId);
  });

  it('of one’s own is there on one’s other device, though somebody named the call there first', async () => {
    const phone = await TestClient.link(ben);
    const callId = newCall();
    await eve.fetchLists([ben.userId]);
    await eve.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await eve.flush();
    await phone.fetch();
    await ben.vault.enqueueCall({ conversation: eve.userId, callId, media: 'voice' });
    await ben.flush();
    await phone.fetch();
    const entries = (await phone.messages(eve)).map((entry) => [entry.mine, shownOf(entry)]);
    expect(entries).toEqual([
      [false, 'missed'],
      [true, 'ongoing'],
    ]);
    expect((await phone.vault.ongoingCalls()).calls).toMatchObject([{ callId, mine: true }]);
  });

  it('that was answered stays so, for as long, whatever a server says of it later', async () => {
    const callId = newCall();
    await eve.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await eve.flush();
    await ben.fetch();
    await end(callId, eve, 'answered', 300_000);
    for (const outcome of ['missed', 'declined', 'cancelled', 'ongoing', 'answered'] as const) {
      await end(callId, eve, outcome);
    }
    expect((await ben.messages(eve))[0]!.body).toMatchObject({ outcome: 'answered', durationMs: 300_000 });
    expect((await ben.vault.ongoingCalls()).calls).toEqual([]);
  });
});

describe('a database in which rows of calls name what is no entry of theirs', () => {
  /** As an earlier version left them. */
  async function damage(rows: readonly { call: string; callId: CallId; messageId: MessageId; ongoing: 0 | 1 }[]) {
    await ben.vault.close();
    const profiles = await Profiles.load({ indexedDB: ben.disk, IDBKeyRange }, () => ben.time, null, HOME);
    const { db } = (await profiles.openLast())!;
    await db.calls.bulkPut(rows.map((row) => ({ ...row, at: ben.time })));
    profiles.close();
    await ben.restart();
  }

  it('shows no message twice, takes none for a call, and loses none', async () => {
    await ben.write(eve, 'mine');
    await eve.vault.enqueueCall({ conversation: ben.userId, callId: newCall(), media: 'voice' });
    await eve.flush();
    await ben.fetch();
    const entry = (await ben.messages(eve)).find(({ body }) => body.kind === 'call')!;
    const [a, b, c] = [newCall(), newCall(), newCall()];
    await damage([
      { call: `${ada.userId}:${a}`, callId: a, messageId: entry.messageId, ongoing: 1 },
      { call: `${eve.userId}:${b}`, callId: b, messageId: entry.messageId, ongoing: 1 },
      { call: `${eve.userId}:${c}`, callId: c, messageId: await idOf('mine', eve), ongoing: 1 },
    ]);
    expect(await recentIds()).toEqual([entry.messageId]);
    expect((await ben.vault.ongoingCalls()).calls).toHaveLength(1);
    await end(a, ada);
    await end(b, eve, 'declined');
    await end(c, eve);
    expect((await shown(eve)).sort()).toEqual(['declined', 'mine', 'missed', 'ongoing']);
    expect(await shown(ada)).toEqual(['missed']);
    expect(new Set(await recentIds()).size).toBe(4);
  });

  it('shows no state of a message of somebody else', async () => {
    await eve.write(ben, 'hers');
    await ben.fetch();
    const [message] = await ben.messages(eve);
    await ben.vault.close();
    const profiles = await Profiles.load({ indexedDB: ben.disk, IDBKeyRange }, () => ben.time, null, HOME);
    const { db, sealer } = (await profiles.openLast())!;
    const part = { sender: eve.userId, body: message!.body, sentAt: message!.sentAt, state: 'failed' };
    await db.messages.update(message!.messageId, {
      sealed: await sealer.seal('messages', message!.messageId, part),
    });
    profiles.close();
    await ben.restart();
    await ben.vault.discard(message!.messageId);
    expect((await ben.messages(eve)).map(({ state }) => state)).toEqual([null]);
  });
});
