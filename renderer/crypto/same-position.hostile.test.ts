import { expect, it } from 'vitest';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

it('messages that a server gave one position are all reached by scrolling, and so are those before and after', async () => {
  const relay = new Relay();
  const ada = await TestClient.signUp(relay, 'ada');
  const ben = await TestClient.signUp(relay, 'ben');
  const texts = Array.from({ length: 150 }, (_, i) => `message ${i}`);
  for (const text of texts) await ben.enqueue(ada, text);
  await ben.flush();
  const queue = relay.queue(ada.address);
  const position = queue[20]!.position;
  const alike = (at: number) => at >= 20 && at < 140;
  queue.splice(0, queue.length, ...queue.map((envelope, at) => (alike(at) ? { ...envelope, position } : envelope)));
  while (relay.queue(ada.address).length > 0) await ada.fetch();

  const found: string[] = [];
  let before: number | null = null;
  for (let more = true; more;) {
    const page = await ada.vault.messages({ conversation: ben.userId, before, limit: 50 });
    found.unshift(...page.messages.map(({ body }) => (body.kind === 'text' ? body.text : body.kind)));
    before = page.messages[0]!.order;
    more = page.more;
  }
  expect(found).toHaveLength(texts.length);
  expect(found.slice(0, 20)).toEqual(texts.slice(0, 20));
  expect(new Set(found)).toEqual(new Set(texts));
  expect(found.slice(140)).toEqual(texts.slice(140));
});
