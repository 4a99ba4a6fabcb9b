import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { onEachDatabase } from '../testing/databases.ts';
import { newId } from '../testing/person.ts';
import { pruneLargeAnswers } from './large-answers.ts';
import { LIMITS } from './limits.ts';
import { findAnswer, keepAnswer, once } from './once.ts';
import { openStore, type Store } from './store.ts';

/* Somebody who asks for long answers under ever new ids, so that what is kept of them fills the disk. */

const LONG = { text: 'x'.repeat(31 * 1024) };

onEachDatabase((newDatabase) => {
  let dataDir: string;
  let store: Store;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-answers-'));
    store = await openStore({ dataDir, databaseUrl: (await newDatabase()).DATABASE_URL });
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const ask = (scope: string, now: number, result: unknown = LONG, id = newId()) =>
    once(store, { scope, id, method: 'm' }, now, async () => result).then(() => ({ scope, id, method: 'm' }));
  const kept = async (scope: string) =>
    (await store.db.selectFrom('idempotency').select('id').where('scope', '=', scope).execute()).length;

  it('keeps a bounded number of long answers for each device, the newest, and of short ones all', async () => {
    const surplus = 20;
    const keys = [];
    for (let at = 0; at < LIMITS.largeAnswers.value + surplus; at++) keys.push(await ask('mallory', at));
    const other = await ask('ada', 0);
    for (let at = 0; at < surplus; at++) await ask('mallory', at, { small: at });
    expect(await kept('mallory')).toBe(LIMITS.largeAnswers.value + surplus);
    expect(await findAnswer(store.db, keys[0] ?? other)).toBeUndefined();
    expect(await findAnswer(store.db, keys[surplus] ?? other)).toEqual({ result: LONG });
    expect(await findAnswer(store.db, other)).toEqual({ result: LONG });
  });

  it('lets go of long answers after an hour, and of short ones not', async () => {
    const [long, short] = [await ask('ada', 0), await ask('ada', 0, {})];
    await pruneLargeAnswers(store.db, LIMITS.largeAnswerMs.value);
    expect(await findAnswer(store.db, long)).toBeDefined();
    await pruneLargeAnswers(store.db, LIMITS.largeAnswerMs.value + 1);
    expect(await findAnswer(store.db, long)).toBeUndefined();
    expect(await findAnswer(store.db, short)).toEqual({ result: {} });
  });

  it('answers a repeat with the first answer, long or short', async () => {
    const key = { scope: 'ada', id: newId(), method: 'm' };
    await once(store, key, 0, async () => LONG);
    expect(await once(store, key, 1, async () => 'another')).toEqual({ result: LONG, repeated: true });
  });

  it('refuses to keep a long answer where nobody would let go of it', async () => {
    await expect(keepAnswer(store.db, { scope: 'ada', id: newId(), method: 'm' }, 0, LONG)).rejects.toThrow('too long');
  });
});
