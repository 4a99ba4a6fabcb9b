import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';
import { resynchronise } from '../../protocol/hello.ts';
import { EventStream } from './event-stream.ts';
import type { Connection } from './connection.ts';
import { LIMITS } from './limits.ts';

const seqsOf = (frames: string[] | null) => frames?.map((frame) => (JSON.parse(frame) as { seq: number }).seq) ?? null;

it('gives the events after any number that it still has, without gaps, and null otherwise', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 * LIMITS.streamEvents.value }),
      fc.integer({ min: 0, max: 3 * LIMITS.streamEvents.value + 2 }),
      (pushed, from) => {
        const stream = new EventStream(null, () => undefined);
        for (let i = 0; i < pushed; i++) stream.push('e', '{}', 0);
        const seqs = seqsOf(stream.after(from));
        const kept = Math.min(pushed, LIMITS.streamEvents.value);
        if (from > pushed || from < pushed - kept) expect(seqs).toBeNull();
        else expect(seqs).toEqual(Array.from({ length: pushed - from }, (_, index) => from + 1 + index));
      },
    ),
    { numRuns: 40 },
  );
});

it('keeps no more than its bytes and its time allow', () => {
  const stream = new EventStream(null, () => undefined);
  const large = JSON.stringify('x'.repeat(LIMITS.streamBytes.value / 8));
  for (let i = 0; i < 10; i++) stream.push('e', large, 0);
  expect(stream.after(2)).toBeNull();
  expect(seqsOf(stream.after(3))).toEqual([4, 5, 6, 7, 8, 9, 10]);
  stream.push('e', '1', LIMITS.streamAge.value + 1);
  expect(stream.after(9)).toBeNull();
  expect(seqsOf(stream.after(10))).toEqual([11]);
});

it('tells the client to ask again in place of an event that is too long for a frame', () => {
  const lost: string[] = [];
  const stream = new EventStream(null, (event) => void lost.push(event));
  stream.push('small', '{}', 0);
  // Three bytes of UTF-8 each: the characters alone would fit.
  stream.push('large', JSON.stringify('\u4e00'.repeat(MAX_FRAME_BYTES / 3)), 0);
  stream.push('small', '{}', 0);
  const frames = stream.after(0)?.map((frame) => JSON.parse(frame) as { event: string; seq: number });
  expect(frames?.map(({ event, seq }) => [event, seq])).toEqual([
    ['small', 1],
    [resynchronise.name, 2],
    ['small', 3],
  ]);
  expect(lost).toEqual(['large']);
});

/** A connection as a stream sees it. `read`: what waited for it is read. */
function fakeConnection() {
  const sent: string[] = [];
  const waiting: (() => void)[] = [];
  const state = { isSlow: false };
  const connection = {
    get isSlow() {
      return state.isSlow;
    },
    onceRead: (then: () => void) => void waiting.push(then),
    send: (text: string) => void sent.push(text),
    sendInHalves: (first: Buffer, second: string) => void sent.push(first.toString() + second),
  } as Partial<Connection> as Connection;
  const read = () => {
    state.isSlow = false;
    for (const then of waiting.splice(0)) then();
  };
  const events = () => sent.map((text) => JSON.parse(text) as { event: string; params: unknown; seq: number });
  return { connection, state, read, shown: () => events().map(({ event, params, seq }) => [event, params, seq]) };
}

const HEAD = '{"event":"stored","params":{"n":1';

it('leaves stored events out while a connection has too much to read, and tells it once when it has read', () => {
  const stream = new EventStream(null, () => undefined);
  const { connection, state, read, shown } = fakeConnection();
  stream.connection = connection;
  stream.pushStored('stored', HEAD, '}', 0);
  stream.pushStored('stored', Buffer.from(HEAD), ',"own":2}', 0);
  state.isSlow = true;
  for (let i = 0; i < 5; i++) stream.pushStored('stored', HEAD, '}', 0);
  stream.push('other', '{}', 0);
  state.isSlow = false;
  // Not before it is told, or a newer one would come before those it has missed.
  stream.pushStored('stored', HEAD, '}', 0);
  read();
  read();
  stream.pushStored('stored', HEAD, '}', 0);
  expect(shown()).toEqual([
    ['stored', { n: 1 }, 1],
    ['stored', { n: 1, own: 2 }, 2],
    ['other', {}, 3],
    [resynchronise.name, {}, 4],
    ['stored', { n: 1 }, 5],
  ]);
  expect(seqsOf(stream.after(0))).toEqual([1, 2, 3, 4, 5]);
});

it('does not resume whoever comes back and has missed stored events, and sends the new connection all again', () => {
  const stream = new EventStream(null, () => undefined);
  const [slow, next] = [fakeConnection(), fakeConnection()];
  stream.connection = slow.connection;
  stream.push('other', '{}', 0);
  slow.state.isSlow = true;
  stream.pushStored('stored', HEAD, '}', 0);
  expect(stream.after(1)).toBeNull();
  stream.connection = next.connection;
  stream.catchUp();
  slow.read();
  stream.pushStored('stored', HEAD, '}', 0);
  expect(next.shown()).toEqual([['stored', { n: 1 }, 2]]);
  expect(seqsOf(stream.after(1))).toEqual([2]);
});
