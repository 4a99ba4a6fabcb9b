import { afterEach, expect, it } from 'vitest';
import { pending } from '../protocol/chat.ts';
import { createLog } from './log.ts';
import { openStore } from './store/store.ts';
import { newId, Person, sendTo } from './testing/person.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

/* A machine whose clock is wrong when its server starts. */

const DAY = 24 * 3_600_000;
const AHEAD = 120 * DAY;

let server: TestServer;
let offset = 0;
let running = 0;
const lines: string[] = [];
const log = createLog('info', { write: (line) => void lines.push(line) });
const said = () => lines.filter((line) => line.includes('far ahead')).length;
/** Real time, with what a test adds to the machine’s clock alone and to all clocks. */
const clocks = {
  now: () => Date.now() + running + offset,
  steady: () => performance.now() + running,
};

afterEach(() => server.dispose());

/** `meanwhile`: between the end of one and the start of the next. */
async function restart(meanwhile: () => unknown = () => undefined): Promise<void> {
  await server.close();
  await meanwhile();
  server = await startTestServer({ log, ...clocks }, { TEAHOUSE_DATA: server.dataDir });
  // What is deleted is deleted at the start.
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

async function waits(session: string): Promise<number | string> {
  try {
    const client = await server.connect(session);
    return (await client.request(pending, { after: 0, limit: 10 })).envelopes.length;
  } catch (error) {
    return String(error);
  }
}

it.each([
  ['of this version', []],
  ['of an older version', ['clock_judged', 'clock_wall', 'clock_ran']],
])('deletes nothing and ends no session with a clock far ahead, on a database %s', async (_, missing) => {
  [offset, running, lines.length] = [0, 0, 0];
  server = await startTestServer({ log, ...clocks });
  const [ada, bob] = [await server.join(), await server.join(new Person())];
  for (let sent = 0; sent < 3; sent++) await sendTo(ada.client, bob.person, newId());
  await restart(async () => {
    offset = AHEAD;
    const store = await openStore({ dataDir: server.dataDir });
    for (const name of missing) await store.db.deleteFrom('counters').where('name', '=', name).execute();
    await store.close();
  });
  expect(said()).toBe(1);
  expect(await waits(bob.session)).toBe(3);
  // Again, before it is set right.
  await restart();
  expect(await waits(bob.session)).toBe(3);
  await restart(() => (offset = 0));
  expect(await waits(bob.session)).toBe(3);
  expect(said()).toBe(2);
});

it('believes the clock once servers have run with it for most of a day, also over starts', async () => {
  [offset, running, lines.length] = [0, 0, 0];
  server = await startTestServer({ log, ...clocks });
  const [ada, bob] = [await server.join(), await server.join(new Person())];
  await sendTo(ada.client, bob.person, newId());
  await restart(() => (offset = AHEAD));
  for (const hours of [8, 8]) {
    running += hours * 3_600_000;
    expect(await waits(bob.session)).toBe(1);
    await restart();
  }
  running += 5 * 3_600_000;
  await restart();
  // The session was in use all the while.
  expect(await waits(bob.session)).toBe(0);
});
