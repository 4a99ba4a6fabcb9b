import { expect, test } from 'vitest';
import { ALREADY_RUNS_EXIT_CODE } from '../../server/claim-folder.ts';
import { delayUnless, MANY_FAULTS, supervise } from './supervise.mjs';

interface End {
  readonly code: number | null;
  readonly started?: boolean;
  /** Milliseconds that it lived. */
  readonly lived?: number;
}

async function run(ends: readonly End[], isEnding: () => boolean = () => false) {
  let time = 0;
  let starts = 0;
  const waits: number[] = [];
  const said: string[] = [];
  const start = () => {
    const { code, started = true, lived = 10 } = ends[starts++] ?? { code: 0 };
    time += lived;
    return { ended: Promise.resolve({ code }), hasStarted: () => started };
  };
  // The time a run took is over once it is asked for.
  const times: number[] = [];
  const now = () => {
    times.push(time);
    return times.at(-1) ?? 0;
  };
  const wait = async (ms: number) => void waits.push(ms);
  const code = await supervise(start, { isEnding, say: (line) => void said.push(line), now, wait });
  return { code, starts, waits, said };
}

test('a fault is followed by a new start, each time a little later', async () => {
  const { code, starts, waits } = await run([{ code: 70 }, { code: null }, { code: 70 }, { code: 0 }]);
  expect([code, starts, waits]).toEqual([0, 4, [250, 500, 1000]]);
});

test('a good end is an end', async () => {
  expect(await run([{ code: 0 }])).toMatchObject({ code: 0, starts: 1 });
});

test('a first start that fails is told at once: something is set wrongly', async () => {
  expect(await run([{ code: 1, started: false }])).toMatchObject({ code: 1, starts: 1, waits: [] });
});

test('a later start that fails is tried again: a port may still be taken', async () => {
  expect(await run([{ code: 70 }, { code: 1, started: false }, { code: 0 }])).toMatchObject({ code: 0, starts: 3 });
});

test('a later start that finds another server in its place is told at once', async () => {
  const ends = [{ code: 70 }, { code: ALREADY_RUNS_EXIT_CODE, started: false }];
  expect(await run(ends)).toMatchObject({ code: ALREADY_RUNS_EXIT_CODE, starts: 2, waits: [250] });
});

test('a server that has served and only ever ends is tried for as long as it takes, and that is said once', async () => {
  // What it needs comes back after hours: until then no start gets as far as to serve.
  const failed = Array.from({ length: 2000 }, () => ({ code: 1, started: false }));
  const { code, starts, waits, said } = await run([{ code: 70 }, ...failed, { code: 0 }]);
  expect([code, starts]).toEqual([0, 2002]);
  expect(said.filter((line) => line.includes(`ended ${MANY_FAULTS} times in a row`))).toHaveLength(1);
  expect(waits.slice(0, 9)).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  expect(new Set(waits.slice(7))).toEqual(new Set([30_000]));
});

test('a fault after a stable time begins the count anew', async () => {
  const faults = Array.from({ length: 20 }, () => ({ code: 70, lived: 60_000 }));
  const { starts, waits } = await run(faults);
  expect(starts).toBe(21);
  expect(new Set(waits)).toEqual(new Set([250]));
});

test('who was asked to end is not started again', async () => {
  expect(await run([{ code: null }], () => true)).toMatchObject({ code: 1, starts: 1 });
});

test('a wait for the next start is over when all are to end', async () => {
  const ending = new AbortController();
  const waiting = delayUnless(600_000, ending.signal);
  ending.abort();
  await waiting;
  await delayUnless(600_000, ending.signal);
  await delayUnless(1, new AbortController().signal);
});
