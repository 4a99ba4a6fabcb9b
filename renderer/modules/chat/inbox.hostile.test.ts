import { expect, it } from 'vitest';
import { envelopeAt, QueueLine } from '../../testing/queue-line.ts';

it('a server whose queue has more for ever, and brings nothing new, is not asked for ever', async () => {
  const line = new QueueLine(() => ({ envelopes: [envelopeAt(7)], more: true }));
  await line.inbox.drain();
  expect(line.asked).toHaveLength(2);
  expect(new Set(line.received)).toEqual(new Set([7]));
});

it('nor is one whose queue goes backwards', async () => {
  let last = 1000;
  const line = new QueueLine(() => ({ envelopes: [envelopeAt(last--)], more: true }));
  await line.inbox.drain();
  expect(line.asked).toHaveLength(2);
});
