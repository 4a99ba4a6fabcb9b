import { expect, it } from 'vitest';
import { envelopeAt, QueueLine } from '../../testing/queue-line.ts';

const QUEUE = 300;

/** A queue of 300 envelopes, on a line that is lost at the requests named. */
function queueLostAt(...losses: number[]): QueueLine {
  let requests = 0;
  return new QueueLine(({ after, limit }) => {
    requests += 1;
    if (losses.includes(requests)) return 'lost';
    const all = Array.from({ length: QUEUE }, (_, i) => envelopeAt(i + 1)).filter(({ queueId }) => queueId > after);
    return { envelopes: all.slice(0, limit), more: all.length > limit };
  });
}

const everything = Array.from({ length: QUEUE }, (_, i) => i + 1);

it('fetches the queue in pages that begin small and grow', async () => {
  const line = queueLostAt();
  await line.inbox.drain();
  expect(line.received).toEqual(everything);
  expect(line.asked.map(({ limit }) => limit)).toEqual([25, 50, 100, 100, 100]);
});

it('goes on where the line was lost, with smaller pages, and fetches nothing twice', async () => {
  const line = queueLostAt(3, 4);
  await expect(line.inbox.drain()).rejects.toThrow('lost');
  await expect(line.inbox.drain(true)).rejects.toThrow('lost');
  await line.inbox.drain(true);
  expect(line.received).toEqual(everything);
  expect(line.asked.slice(2, 5)).toEqual([
    { after: 75, limit: 100 },
    { after: 75, limit: 25 },
    { after: 75, limit: 6 },
  ]);
});

it('begins at the front after events were missed', async () => {
  const line = queueLostAt(3);
  await expect(line.inbox.drain()).rejects.toThrow('lost');
  await line.inbox.drain();
  expect(line.asked[3]?.after).toBe(0);
});
