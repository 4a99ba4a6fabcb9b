import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventStream, STREAM_MAX_AGE_MS, STREAM_MAX_BYTES, STREAM_MAX_EVENTS } from './event-stream.ts';

const seqsOf = (frames: string[] | null) => frames?.map((frame) => (JSON.parse(frame) as { seq: number }).seq) ?? null;

it('gives the events after any number that it still has, without gaps, and null otherwise', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 * STREAM_MAX_EVENTS }),
      fc.integer({ min: 0, max: 3 * STREAM_MAX_EVENTS + 2 }),
      (pushed, from) => {
        const stream = new EventStream(null);
        for (let i = 0; i < pushed; i++) stream.push('e', '{}', 0);
        const seqs = seqsOf(stream.after(from));
        const kept = Math.min(pushed, STREAM_MAX_EVENTS);
        if (from > pushed || from < pushed - kept) expect(seqs).toBeNull();
        else expect(seqs).toEqual(Array.from({ length: pushed - from }, (_, index) => from + 1 + index));
      },
    ),
    { numRuns: 40 },
  );
});

it('keeps no more than its bytes and its time allow', () => {
  const stream = new EventStream(null);
  const large = JSON.stringify('x'.repeat(STREAM_MAX_BYTES / 4));
  for (let i = 0; i < 10; i++) stream.push('e', large, 0);
  expect(stream.after(6)).toBeNull();
  expect(seqsOf(stream.after(7))).toEqual([8, 9, 10]);
  stream.push('e', '1', STREAM_MAX_AGE_MS + 1);
  expect(stream.after(9)).toBeNull();
  expect(seqsOf(stream.after(10))).toEqual([11]);
});
