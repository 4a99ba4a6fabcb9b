import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CallId, UserId } from '../../protocol/ids.ts';
import type { MessageId } from '../../protocol/ids.ts';
import type { Profile } from './profile.ts';
import { Relay } from './testing/relay.ts';
import { SummaryCache } from './summary-cache.ts';

import { TestClient } from './testing/test-client.ts';

/** Something that happens in the conversation of two people. */
type Step = (ada: TestClient, ben: TestClient) => Promise<unknown>;

const STEPS: Readonly<Record<string, Step>> = {
  'Ada writes': (ada, ben) => ada.write(ben, 'from Ada'),
  'Ada writes offline': (ada, ben) => ada.enqueue(ben, 'waits'),
  'Ada is back online': (ada) => ada.flush(),
  'Ada’s oldest fails': async (ada, ben) => {
    const next = await ada.sealOldest(ben.userId);
    if (next !== null) await ada.vault.sendFailed(next.messageId);
  },
  'Ada throws away what failed': async (ada, ben) => {
    for (const failed of await failedOf(ada, ben)) await ada.vault.discard(failed);
  },
  'Ada tries again': async (ada, ben) => {
    for (const failed of await failedOf(ada, ben)) await ada.vault.retry(failed);
  },
  'Ben writes': (ada, ben) => ben.write(ada, 'from Ben'),
  'Ada fetches': (ada) => ada.fetch(),
  'Ben fetches': (_ada, ben) => ben.fetch(),
  'Ada reads': (ada, ben) => ada.vault.markRead(ben.userId),
  'Ada drafts': (ada, ben) => ada.vault.setDraft({ conversation: ben.userId, text: 'half a' }),
  'Ada empties the draft': (ada, ben) => ada.vault.setDraft({ conversation: ben.userId, text: '' }),
  'Ada misses a call': (ada, ben) =>
    ada.vault.endCall({
      conversation: ben.userId,
      callId: CallId.parse(crypto.randomUUID()),
      media: 'voice',
      outcome: 'missed',
      durationMs: null,
    }),
};

async function failedOf(ada: TestClient, ben: TestClient) {
  const { messages } = await ada.vault.messages({ conversation: ben.userId, before: null, limit: 100 });
  return messages.flatMap(({ messageId, state }) => (state === 'failed' ? [messageId] : []));
}

it('says of every conversation what is stored of it, whatever has happened', async () => {
  const names = fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(names, async (steps) => {
      const relay = new Relay();
      const [ada, ben] = [await TestClient.signUp(relay, 'ada'), await TestClient.signUp(relay, 'ben')];
      await ada.write(ben, 'first');
      for (const step of steps) await STEPS[step]?.(ada, ben);
      const inMemory = await ada.vault.conversations();
      await ada.restart();
      expect(inMemory).toEqual(await ada.vault.conversations());
    }),
    { numRuns: 25 },
  );
}, 120_000);

const OTHER = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001');

/** How long 2,000 messages that come one after the other take, where so many are unread already. Milliseconds. */
async function costOf(unread: number): Promise<number> {
  const ids = Array.from({ length: unread }, (_, i) => `unread ${i}`);
  const rows = {
    messages: { where: () => ({ between: () => ({ reverse: () => ({ limit: () => ({ toArray: () => [] }) }) }) }) },
    conversations: { get: () => undefined },
    unread: { where: () => ({ equals: () => ({ primaryKeys: () => ids }) }) },
  };
  const cache = new SummaryCache();
  const profile = { db: rows, sealer: null, peers: new Map(), doubts: new Map() } as unknown as Profile;
  await cache.newest(profile, OTHER);
  const nothing = { messages: [], removed: new Set<MessageId>(), drafts: new Map() };
  const before = performance.now();
  for (let i = 0; i < 2000; i += 1) {
    const news = new Map([[OTHER, [{ messageId: `new ${i}` as MessageId }]]]);
    const old = new Map([[OTHER, [`new ${i - 1}` as MessageId]]]);
    cache.apply({ ...nothing, touched: new Set([OTHER]), unread: news, read: old });
  }
  const cost = performance.now() - before;
  expect((await cache.summarise(profile, OTHER)).unread).toBe(unread + 1);
  return cost;
}

it('takes a message in at the same cost, however many are unread', async () => {
  await costOf(10);
  const few = await costOf(10);
  expect(await costOf(50_000)).toBeLessThan(few * 20 + 500);
});
