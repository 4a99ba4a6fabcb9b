import { beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../protocol/errors.ts';
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

describe('two people', () => {
  it('write to each other, in the same order on both sides', async () => {
    await ada.write(ben, 'one');
    await ben.fetch();
    await ben.write(ada, 'two');
    await ada.fetch();
    await ada.write(ben, 'three');
    await ben.fetch();
    expect(await ada.texts(ben)).toEqual(['one', 'two', 'three']);
    expect(await ben.texts(ada)).toEqual(['one', 'two', 'three']);
  });

  it('may write their first messages at the same time', async () => {
    await ada.write(ben, 'from Ada');
    await ben.write(ada, 'from Ben');
    await Promise.all([ada.fetch(), ben.fetch()]);
    await ada.write(ben, 'again from Ada');
    await ben.write(ada, 'again from Ben');
    await Promise.all([ada.fetch(), ben.fetch()]);
    const both = ['from Ada', 'from Ben', 'again from Ada', 'again from Ben'];
    expect(await ada.texts(ben)).toEqual(both);
    expect(await ben.texts(ada)).toEqual(both);
  });

  it('see sent, delivered and read, and a late receipt undoes nothing', async () => {
    await ada.enqueue(ben, 'seen?');
    expect(await ada.states(ben)).toEqual(['queued']);
    await ada.flush();
    expect(await ada.states(ben)).toEqual(['sent']);
    await ben.fetch();
    await ben.sendReceipts();
    const [delivered] = relay.queue(ada.address).splice(0);
    await ben.vault.markRead(ada.userId);
    await ben.sendReceipts();
    await ada.fetch();
    expect(await ada.states(ben)).toEqual(['read']);
    await ada.receive([delivered!]);
    expect(await ada.states(ben)).toEqual(['read']);
  });

  it('confirm what they read once only, and receipts not at all', async () => {
    await ada.write(ben, 'hello');
    await ben.fetch();
    await ben.vault.markRead(ada.userId);
    await ben.sendReceipts();
    await ben.vault.markRead(ada.userId);
    await ben.sendReceipts();
    expect(relay.queue(ada.address)).toHaveLength(1);
    await ada.fetch();
    await ada.sendReceipts();
    expect(relay.queue(ben.address)).toHaveLength(0);
  });

  it('keep unread counts and drafts', async () => {
    await ada.write(ben, 'one');
    await ada.write(ben, 'two');
    await ben.fetch();
    await ben.vault.setDraft({ conversation: ada.userId, text: 'I was about to' });
    await ben.restart();
    const [conversation] = await ben.vault.conversations();
    expect(conversation).toMatchObject({ userId: ada.userId, unread: 2, draft: 'I was about to' });
    expect(conversation?.last?.body).toEqual({ kind: 'text', text: 'two' });
    const changes = await ben.vault.markRead(ada.userId);
    expect(changes.conversations[0]?.unread).toBe(0);
  });

  it('page through a long history without a hole', async () => {
    for (let i = 0; i < 25; i += 1) await ada.enqueue(ben, String(i));
    await ada.flush();
    const newest = await ada.vault.messages({ conversation: ben.userId, before: null, limit: 10 });
    const older = await ada.vault.messages({ conversation: ben.userId, before: newest.messages[0]!.order, limit: 20 });
    expect(newest.more).toBe(true);
    expect(older.more).toBe(false);
    const all = [...older.messages, ...newest.messages].map(({ body }) => (body.kind === 'text' ? body.text : ''));
    expect(all).toEqual(Array.from({ length: 25 }, (_, i) => String(i)));
  });
});

describe('a crash', () => {
  it('between sealing and sending sends the very same bytes', async () => {
    await ada.enqueue(ben, 'once');
    await ada.fetchLists([ben.userId]);
    await ada.vault.startSessions(relay.takeBundles([ben.address]));
    const before = await ada.sealOldest(ben.userId);
    await ada.restart();
    const after = await ada.sealOldest(ben.userId);
    expect(after).toEqual(before);
    expect(before).toHaveProperty('params');
    await ada.flush();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['once']);
  });

  it('after sending changes nothing for anybody', async () => {
    await ada.enqueue(ben, 'once');
    await ada.fetchLists([ben.userId]);
    await ada.vault.startSessions(relay.takeBundles([ben.address]));
    const sealed = await ada.sealOldest(ben.userId);
    if (sealed === null || !('params' in sealed)) throw new Error('not sealed');
    relay.send(ada.address, sealed.params);
    await ada.restart();
    await ada.flush();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['once']);
    expect(await ada.states(ben)).toEqual(['sent']);
  });

  it('before the acknowledgement shows nothing twice', async () => {
    await ada.write(ben, 'once');
    const envelopes = [...relay.queue(ben.address)];
    await ben.receive(envelopes);
    await ben.restart();
    const again = await ben.receive(envelopes);
    expect(again.acknowledge).toEqual(envelopes.map(({ queueId }) => queueId));
    expect(again.arrived).toEqual([]);
    expect(await ben.texts(ada)).toEqual(['once']);
  });

  it('during sign-up continues with the same keys', async () => {
    const client = new TestClient(relay);
    await client.vault.open(null, HOME);
    const input = { invitation: 'B'.repeat(43), username: 'eve', displayName: 'Eve', deviceName: 'Test device' };
    const first = await client.vault.prepareSignUp(input);
    await client.restart();
    expect(await client.vault.standing()).toEqual({ kind: 'empty' });
    expect(await client.vault.prepareSignUp(input)).toEqual(first);
    await client.vault.signUpRefused();
    const second = await client.vault.prepareSignUp(input);
    expect(second.userId).toBe(first.userId);
    expect(second.idempotencyId).not.toBe(first.idempotencyId);
  });
});

describe('order', () => {
  it('puts what is queued last and sends it in the order of writing', async () => {
    await ada.enqueue(ben, 'a');
    await ada.enqueue(ben, 'b');
    await ben.write(ada, 'from Ben');
    await ada.fetch();
    expect(await ada.texts(ben)).toEqual(['from Ben', 'a', 'b']);
    await ada.flush();
    await ben.fetch();
    expect(await ada.texts(ben)).toEqual(['from Ben', 'a', 'b']);
    expect(await ben.texts(ada)).toEqual(['from Ben', 'a', 'b']);
  });

  it('lets what failed be sent again or thrown away', async () => {
    await ada.enqueue(ben, 'kept');
    await ada.enqueue(ben, 'thrown away');
    const [kept, thrown] = await ada.messages(ben);
    await ada.vault.sendFailed(kept!.messageId);
    await ada.vault.sendFailed(thrown!.messageId);
    expect(await ada.states(ben)).toEqual(['failed', 'failed']);
    expect(await ada.vault.outbox()).toEqual([]);
    await ada.vault.retry(kept!.messageId);
    const changes = await ada.vault.discard(thrown!.messageId);
    expect(changes.removed).toEqual([thrown!.messageId]);
    await ada.flush();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['kept']);
    expect(await ada.states(ben)).toEqual(['sent']);
  });

  it('remembers why something failed until it is sent again', async () => {
    await ada.enqueue(ben, 'too much');
    const [message] = await ada.messages(ben);
    const failures = async () => (await ada.messages(ben)).map(({ failure }) => failure ?? null);
    const told = await ada.vault.sendFailed(message!.messageId, 'queue_full');
    expect(told.messages).toMatchObject([{ state: 'failed', failure: 'queue_full' }]);
    await ada.restart();
    expect(await failures()).toEqual(['queue_full']);
    const again = await ada.vault.retry(message!.messageId);
    expect(again.messages).toMatchObject([{ state: 'queued', failure: undefined }]);
    expect(await failures()).toEqual([null]);
  });

  it.each([
    ['queue_full', ['read']],
    ['user_unknown', ['read']],
    ['invalid_request', ['sent']],
  ] as const)(
    'keeps receipts that the server does not take, unless it is for what they are: %s',
    async (code, states) => {
      await ben.write(ada, 'seen');
      await ada.fetch();
      const refuse = async () => {
        while (await ada.vault.collectReceipts());
        for (const conversation of await ada.vault.outbox()) {
          const { sealed } = await ada.vault.sealWaiting({ conversation, underWay: [], again: [], limit: 9 });
          for (const { messageId } of sealed) await ada.vault.sendFailed(messageId, code);
        }
      };
      await refuse();
      await ada.vault.markRead(ben.userId, null);
      await ada.restart();
      await refuse();
      // They are not offered again and again meanwhile.
      await ada.vault.collectReceipts();
      expect(await ada.vault.outbox()).toEqual([]);
      await ada.write(ben, 'now it takes something');
      await ada.sendReceipts();
      await ben.fetch();
      expect((await ben.states(ada)).filter((state) => state !== null)).toEqual(states);
    },
  );

  it('shows what failed for a reason that only a later version knows', async () => {
    await ada.enqueue(ben, 'too much');
    const [message] = await ada.messages(ben);
    await ada.vault.sendFailed(message!.messageId, 'of_the_future' as ErrorCode);
    const [shown] = await ada.messages(ben);
    expect([shown?.state, shown?.failure]).toEqual(['failed', undefined]);
  });
});
