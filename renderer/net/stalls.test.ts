import { afterEach, beforeEach, expect, it } from 'vitest';
import { Line } from '../../e2e/support/line.ts';
import { startTestServer } from '../../server/testing/test-server.ts';
import type { TestServer } from '../../server/testing/test-server.ts';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { ShownState } from './shown-state.ts';
import { TIMINGS } from './timings.ts';
import type { Timings } from './timings.ts';

/** Everything here is ten times as fast as it would be. */
const SCALE = 0.1;
const scaled = Object.fromEntries(
  Object.entries(TIMINGS).map(([name, ms]) => [name, ms * SCALE]),
) as unknown as Timings;
/** Four minutes, with stalls of 10 to 40 s and 5 to 15 s between them. */
const WHOLE_MS = 240_000 * SCALE;

let server: TestServer;
let line: Line;
let ada: HeadlessClient;
let ben: HeadlessClient;

beforeEach(async () => {
  server = await startTestServer({ heartbeatMs: 15_000 * SCALE, helloTimeoutMs: 10_000 * SCALE });
  line = await Line.open(server.port);
  const near = line.origin.replace('localhost', '127.0.0.1');
  ada = await HeadlessClient.join(near, await server.invitation(), 'ada', scaled);
  ben = await HeadlessClient.join(`http://127.0.0.1:${server.port}`, await server.invitation(), 'ben');
  await ada.chat.open(ben.userId);
  await ben.chat.open(ada.userId);
  await ada.chat.send('hello');
  await until(() => ben.texts().length === 1, 'they have met');
});

afterEach(async () => {
  ada.close();
  ben.close();
  await line.close();
  await server.dispose();
});

/** The same numbers in each run (a linear congruential generator), from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296;
}

/** Both directions of every connection stop together. */
async function together(random: () => number): Promise<void> {
  const end = Date.now() + WHOLE_MS;
  while (Date.now() < end) {
    line.stall();
    await pause((10_000 + random() * 30_000) * SCALE);
    line.flow();
    await pause((5000 + random() * 10_000) * SCALE);
  }
}

/** Each direction of each connection stops by itself. */
async function apart(random: () => number): Promise<void> {
  line.falter({
    stallMs: () => (10_000 + random() * 30_000) * SCALE,
    flowMs: () => random() * 10_000 * SCALE,
  });
  await pause(WHOLE_MS);
  line.falter(null);
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const WEATHERS = [
  ['together', together, 1],
  ['apart', apart, 2],
] as const;

it.each(WEATHERS)(
  'messages get through a line that stalls for 10 to 40 s again and again, %s',
  { timeout: 90_000 },
  async (_, weather, seed) => {
    const states: string[] = [];
    const shown: string[] = [];
    const teller = new ShownState(({ kind }) => void shown.push(kind), { trouble: 200, change: 70, well: 70 });
    ada.connection.onState((state) => {
      states.push(state.kind);
      teller.is(state);
    });
    const weathered = weather(numbers(seed));
    const written = { ada: ['hello'], ben: [] as string[] };
    const waits: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const [mine, theirs] = [`ada ${n}`, `ben ${n}`];
      await ada.chat.send(mine);
      await ben.chat.send(theirs);
      written.ada.push(mine);
      written.ben.push(theirs);
      const began = Date.now();
      void until(() => ben.texts().includes(mine) && ada.texts().includes(theirs), mine).then(
        () => waits.push(Date.now() - began),
        () => waits.push(Infinity),
      );
      await pause(WHOLE_MS / 24);
    }
    await weathered;
    await until(() => waits.length === 20, 'all arrived');
    const of = (who: string, texts: readonly string[]) =>
      texts.filter((text) => text.startsWith(who) || (who === 'ada' && text === 'hello'));
    for (const { texts } of [{ texts: ada.texts() }, { texts: ben.texts() }]) {
      expect(of('ada', texts)).toEqual(written.ada);
      expect(of('ben', texts)).toEqual(written.ben);
    }
    // Whatever was written arrived when the stall was over, or after the next.
    expect(Math.max(...waits)).toBeLessThan(90_000 * SCALE);
    // There and back for each stall, and nothing in between.
    expect(states.length).toBeLessThanOrEqual(60);
    expect(shown.length).toBeLessThanOrEqual(20);
  },
);
