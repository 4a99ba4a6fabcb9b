import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ProtocolError } from '../../protocol/errors.ts';
import type { UserId } from '../../protocol/ids.ts';
import { onEachDatabase } from '../testing/databases.ts';
import { newId } from '../testing/person.ts';
import { BulkInsert } from './bulk.ts';
import { findAnswer, once, pruneAnswers, REPLAY_MS } from './once.ts';
import { openStore, type Store } from './store.ts';

const run = promisify(execFile);

it('writes SQLite so that what is committed survives a loss of power', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'teahouse-store-'));
  const sqlite = await openStore({ dataDir: folder });
  const pragma = async (name: string) =>
    Object.values((await sql`pragma ${sql.raw(name)}`.execute(sqlite.db)).rows[0] ?? {});
  expect(await pragma('journal_mode')).toEqual(['wal']);
  expect(await pragma('synchronous'), 'FULL').toEqual([2]);
  expect(await pragma('foreign_keys')).toEqual([1]);
  expect(await pragma('journal_size_limit'), 'the log of changes does not stay large').toEqual([64_000_000]);
  await sqlite.close();
  await rm(folder, { recursive: true });
});

onEachDatabase((newDatabase) => {
  let dataDir: string;
  let databaseUrl: string | undefined;
  let store: Store;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-store-'));
    databaseUrl = (await newDatabase()).DATABASE_URL;
    store = await openStore({ dataDir, databaseUrl });
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('opens again what it wrote, without migrating twice', async () => {
    await setCounter(store, 'position', 42);
    await store.close();
    store = await openStore({ dataDir, databaseUrl });
    expect(await store.db.selectFrom('counters').selectAll().execute()).toEqual([{ name: 'position', value: 42 }]);
  });

  it('lets several processes migrate at once', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'teahouse-store-'));
    const url = (await newDatabase()).DATABASE_URL;
    const program = `
      const { openStore } = await import(${JSON.stringify(import.meta.resolve('./store.ts'))});
      const store = await openStore(${JSON.stringify({ dataDir: dir, databaseUrl: url })});
      await store.db.selectFrom('counters').selectAll().execute();
      await store.close();`;
    const open = () => run(process.execPath, ['--input-type=module', '-e', program]);
    await Promise.all([open(), open(), open()]);
    await rm(dir, { recursive: true, force: true });
  });

  it('keeps nothing of a transaction that fails', async () => {
    const failing = store.transaction(async (trx) => {
      await trx.insertInto('counters').values({ name: 'a', value: 1 }).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await store.db.selectFrom('counters').selectAll().execute()).toEqual([]);
  });

  it('reads numbers beyond 32 bits as numbers', async () => {
    await setCounter(store, 'position', Number.MAX_SAFE_INTEGER);
    const row = await store.db.selectFrom('counters').selectAll().executeTakeFirstOrThrow();
    expect(row.value).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('holds foreign keys', async () => {
    const orphan = store.db
      .insertInto('accountWords')
      .values({ word: 'ada', userId: newId() as string as UserId })
      .execute();
    await expect(orphan).rejects.toThrow(/foreign key/i);
  });

  it('gives a repeat the first answer, also when both come at once', async () => {
    const key = { scope: 'someone', id: newId(), method: 'a.b' };
    let effects = 0;
    const ask = () =>
      once(store, key, 1, async (trx) => {
        const [row] = await trx.selectFrom('counters').selectAll().execute();
        await trx.deleteFrom('counters').execute();
        await trx
          .insertInto('counters')
          .values({ name: 'n', value: (row?.value ?? 0) + 1 })
          .execute();
        return { answer: ++effects };
      });
    const answers = await Promise.all([ask(), ask(), ask(), ask()]);
    answers.push(await ask());
    expect(new Set(answers.map(({ result }) => result.answer)).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    const row = await store.db.selectFrom('counters').selectAll().executeTakeFirstOrThrow();
    expect(row.value).toBe(1);
  });

  it('refuses an idempotency id that was used for another method, and keeps scopes apart', async () => {
    const id = newId();
    await once(store, { scope: 's', id, method: 'a.b' }, 1, async () => ({}));
    const other = once(store, { scope: 's', id, method: 'a.c' }, 1, async () => ({}));
    await expect(other).rejects.toSatisfy((error) => ProtocolError.is(error, 'invalid_request'));
    const elsewhere = await once(store, { scope: 't', id, method: 'a.c' }, 1, async () => ({}));
    expect(elsewhere.repeated).toBe(false);
  });

  it('forgets answers after seven days and not before', async () => {
    const key = { scope: 's', id: newId(), method: 'a.b' };
    await once(store, key, 1000, async () => ({}));
    await pruneAnswers(store.db, 1000 + REPLAY_MS);
    expect(await findAnswer(store.db, key)).toEqual({ result: {} });
    const insert = new BulkInsert(store.kind, 'idempotency', ['scope', 'id', 'method', 'result', 'created_at']);
    const many = Array.from({ length: 4500 }, (_, index) => ['s', `id-${index}`, 'a.b', '{}', 1000]).flat();
    await store.transaction((trx) => insert.run(trx, many));
    await once(store, { ...key, id: newId() }, 1001, async () => ({}));
    await pruneAnswers(store.db, 1001 + REPLAY_MS);
    expect(await findAnswer(store.db, key)).toBeUndefined();
    expect(await store.db.selectFrom('idempotency').select('id').execute()).toHaveLength(1);
  });

  it.each([1, 5, 64, 83, 601])('inserts %i rows in blocks, each once and in order', async (count) => {
    const insert = new BulkInsert(store.kind, 'counters', ['name', 'value'], 'on conflict do nothing');
    const values = Array.from({ length: count }, (_, index) => [`n${index}`, index]).flat();
    expect(await store.transaction((trx) => insert.run(trx, values))).toBe(count);
    const rows = await store.db.selectFrom('counters').selectAll().orderBy('value').execute();
    expect(rows).toEqual(Array.from({ length: count }, (_, index) => ({ name: `n${index}`, value: index })));
    expect(await store.transaction((trx) => insert.run(trx, values))).toBe(0);
  });
});

async function setCounter(store: Store, name: string, value: number): Promise<void> {
  await store.db.insertInto('counters').values({ name, value }).execute();
}
