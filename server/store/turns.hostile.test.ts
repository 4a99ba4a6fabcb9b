import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { openStore, type Store } from './store.ts';
import type { Trx } from './schema.ts';

/* One member asks the database for much at once. Its statements run on the event loop, on which everybody waits. */

let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-turns-'));
  store = await openStore({ dataDir });
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** What can be counted in one turn, however slow the machine is: a slice, and a statement that began at its end. */
const MOST_IN_TURN = LIMITS.sliceMs.value + LIMITS.statementMs.value;

/** Some milliseconds of work for the database. */
const count = sql`with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000) select count(*) from n`;

class Account {
  ms = 0;
  work(ms: number): void {
    this.ms += ms;
  }
}

/** Counts turns of the event loop until it is told to stop. */
function countTurns(): () => number {
  let turns = 0;
  let stopped = false;
  const turn = () => {
    turns += 1;
    if (!stopped) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    stopped = true;
    return turns;
  };
}

it('requests that wait together let everything else have its turn between them', async () => {
  const mallory = new Account();
  const turns = countTurns();
  const ask = () => Promise.all(Array.from({ length: 100 }, () => count.execute(store.db)));
  await store.onBehalfOf(mallory, ask);
  expect(mallory.ms).toBeGreaterThan(MOST_IN_TURN);
  expect(turns()).toBeGreaterThan(mallory.ms / MOST_IN_TURN);
});

it('a long transaction does, too', async () => {
  const mallory = new Account();
  const turns = countTurns();
  const work = async (trx: Trx) => {
    for (let i = 0; i < 100; i++) await count.execute(trx);
  };
  await store.onBehalfOf(mallory, () => store.transaction(work));
  expect(mallory.ms).toBeGreaterThan(MOST_IN_TURN);
  expect(turns()).toBeGreaterThan(mallory.ms / MOST_IN_TURN);
});

it('somebody who asks for one thing does not wait for all that another asked for before', async () => {
  const [mallory, ada] = [new Account(), new Account()];
  const done: string[] = [];
  const ask = (who: Account, name: string) =>
    store.onBehalfOf(who, () => count.execute(store.db).then(() => done.push(name)));
  const asked = Array.from({ length: 50 }, () => ask(mallory, 'mallory'));
  await Promise.all([...asked, ask(ada, 'ada')]);
  expect(done.indexOf('ada')).toBeLessThan(3);
});

it('the time counts for whoever asked, and no statement for more than it may', async () => {
  const [mallory, ada] = [new Account(), new Account()];
  const long = sql`with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000000) select count(*) from n`;
  await Promise.all([
    store.onBehalfOf(mallory, () => long.execute(store.db)),
    store.onBehalfOf(ada, () => sql`select 1`.execute(store.db)),
  ]);
  expect(mallory.ms).toBe(LIMITS.statementMs.value);
  expect(ada.ms).toBeGreaterThan(0);
  expect(ada.ms).toBeLessThan(mallory.ms);
});

it('a statement that fails gives the connection on', async () => {
  const failing = Array.from({ length: 5 }, () => sql`select nonsense`.execute(store.db));
  for (const one of failing) await expect(one).rejects.toThrow('nonsense');
  await expect(store.transaction((trx) => sql`select nonsense`.execute(trx))).rejects.toThrow('nonsense');
  await store.ping();
});
