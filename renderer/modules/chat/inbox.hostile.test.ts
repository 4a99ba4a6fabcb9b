import { expect, it } from 'vitest';
import { until } from '../../testing/headless-client.ts';
import { envelopeAt, QueueLine } from '../../testing/queue-line.ts';
import { LIMITS } from './limits.ts';

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

it('what arrives in a flood is left on the server beyond a bound, and fetched when there is room', async () => {
  const flood = Array.from({ length: 5000 }, (_, i) => envelopeAt(i + 1));
  let beforeAsking: number | null = null;
  let losses = 1;
  const line: QueueLine = new QueueLine(({ after, limit }) => {
    beforeAsking ??= line.received.length;
    if (losses-- > 0) return 'lost';
    const left = flood.filter(({ queueId }) => queueId > after);
    return { envelopes: left.slice(0, limit), more: left.length > limit };
  });
  for (const envelope of flood) line.inbox.add(envelope);
  await until(() => beforeAsking !== null, 'the queue is read');
  expect(beforeAsking).toBe(LIMITS.waitingEnvelopes.value);
  // The line was lost meanwhile; when it is back, whatever waits goes on.
  await line.inbox.work();
  await until(() => new Set(line.received).size === flood.length, 'nothing is missing');
  expect(line.received.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
});
