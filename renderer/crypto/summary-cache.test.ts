import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CallId } from '../../protocol/ids.ts';
import { Relay } from './testing/relay.ts';
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
      onlyOngoing: false,
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
