import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DeviceId, UserId } from '../../protocol/ids.ts';
import { onEachDatabase } from '../testing/databases.ts';
import { refusal } from '../testing/expect-code.ts';
import { newId } from '../testing/person.ts';
import { pruneLargeAnswers } from './large-answers.ts';
import { LIMITS } from './limits.ts';
import { findAnswer, keepAnswer, once, pruneAnswers, REPLAY_MS } from './once.ts';
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

  it('keeps a bounded number of long answers for each account, the newest, and of short ones all', async () => {
    const surplus = 20;
    const keys = [];
    // Of whichever device: they can be linked and taken off again and again.
    const scopeAt = (at: number) => `mallory/${at % 7}`;
    for (let at = 0; at < LIMITS.largeAnswers.value + surplus; at++) keys.push(await ask(scopeAt(at), at));
    const other = await ask('ada', 0);
    for (let at = 0; at < surplus; at++) await ask('mallory/1', at, { small: at });
    expect(await counted('mallory')).toBe(LIMITS.largeAnswers.value + surplus);
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
    const keep = store.transaction((trx) => keepAnswer(trx, { scope: 'ada', id: newId(), method: 'm' }, 0, LONG));
    await expect(keep).rejects.toThrow('too long');
  });

  it('refuses new requests of an account of which too much is kept, forgets nothing, and goes on when that is old', async () => {
    const first = await ask('mallory/1', 0, { first: true });
    await ask('mallory/1', 0, LONG);
    await ask('mallory/2', 1000, {});
    await countTo('mallory', LIMITS.keptAnswers.value);
    // Under every device of the account; other people are not concerned.
    for (const scope of ['mallory/1', 'mallory/3']) await refusal('rate_limited', ask(scope, 1000));
    await ask('ada/1', 1000);
    expect(await kept('mallory/3'), 'a refusal leaves nothing').toBe(0);
    const repeat = await once(store, first, 1000, async () => 'a second effect');
    expect(repeat).toEqual({ result: { first: true }, repeated: true });

    await pruneLargeAnswers(store.db, LIMITS.largeAnswerMs.value + 1);
    await ask('mallory/1', 1000, {});
    await refusal('rate_limited', ask('mallory/1', 1000));
    await addDevices();
    await pruneAnswers(store.db, REPLAY_MS + 1);
    await ask('mallory/1', 1000, {});
    await refusal('rate_limited', ask('mallory/1', 1000));
    const essential = { scope: 'mallory/1', id: newId(), method: 'm' };
    await once(store, essential, 1000, async () => ({}), 'essential');
  });

  it('forgets what nobody can repeat any more: of a lost device that has used up what its owner may do', async () => {
    await addDevices();
    const [lost, session, left] = [
      await ask('mallory/9', 0, {}),
      await ask('mallory/s', 0, {}),
      await ask('mallory/1', 0),
    ];
    await ask('ada', 0, {});
    await countTo('mallory', LIMITS.keptAnswers.value);
    await pruneAnswers(store.db, 1);
    expect(await findAnswer(store.db, lost)).toBeUndefined();
    for (const key of [session, left]) expect(await findAnswer(store.db, key)).toBeDefined();
    expect(await kept('ada')).toBe(1);
    expect(await counted('mallory')).toBe(LIMITS.keptAnswers.value - 1);
    await ask('mallory/1', 1, {});
  });

  it('counts what is kept of an account, whoever deletes it, and nothing twice', async () => {
    await addDevices();
    for (let at = 0; at < LIMITS.largeAnswers.value + 5; at++) await ask('ada/1', at);
    const key = await ask('ada/2', 0, {});
    await Promise.all([1, 2, 3].map(() => once(store, key, 0, async () => ({}))));
    expect(await counted('ada')).toBe(LIMITS.largeAnswers.value + 1);
    await Promise.all([1, 2].map(() => pruneAnswers(store.db, REPLAY_MS + 10)));
    expect(await kept('ada/1')).toBe(LIMITS.largeAnswers.value - 5);
    expect(await counted('ada')).toBe(LIMITS.largeAnswers.value - 5);
  });

  /** The devices 1 and 2 of both. */
  async function addDevices(): Promise<void> {
    for (const userId of ['ada', 'mallory'] as UserId[]) {
      const account = { userId, username: userId, displayName: userId, sortName: userId, role: 'member' } as const;
      const rest = { passwordHash: '', accountKey: '', createdAt: 1 };
      await store.db
        .insertInto('accounts')
        .values({ ...account, ...rest })
        .execute();
      for (const deviceId of [1, 2] as DeviceId[]) {
        const signed = { signedPrekeyId: 1, signedPrekey: '', signedPrekeySignature: '', signedPrekeyAt: 1 };
        const keys = { registrationId: 1, identityKey: '', authenticationKey: '', addedAt: 1 };
        await store.db
          .insertInto('devices')
          .values({ userId, deviceId, ...keys, ...signed })
          .execute();
      }
    }
  }
  const counted = async (userId: string) => {
    const row = store.db
      .selectFrom('queueUse')
      .select('answers')
      .where('userId', '=', userId as UserId);
    return (await row.executeTakeFirst())?.answers;
  };
  const countTo = (userId: string, answers: number) =>
    store.db
      .updateTable('queueUse')
      .set({ answers })
      .where('userId', '=', userId as UserId)
      .execute();
});
