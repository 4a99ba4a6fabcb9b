import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { onEachDatabase } from '../testing/databases.ts';
import { migrate, MIGRATION_NAMES, type StoreKind } from './migrate.ts';
import { postgresDialect } from './postgres.ts';
import type { Schema } from './schema.ts';
import { NodeSqliteDialect } from './sqlite.ts';
import { openStore } from './store.ts';

vi.setConfig({ testTimeout: 60_000 });

type Row = Readonly<Record<string, unknown>>;
type Rows = Readonly<Record<string, readonly Row[]>>;

const KEY = Buffer.alloc(10, 1);
const PAYLOAD = Buffer.alloc(100, 2);
const [ADA, BOB] = ['ada', 'bob'];
const account = (user_id: string) => ({ user_id, role: 'member', password_hash: 'h', account_key: 'k', created_at: 1 });
const device = (user_id: string, device_id: number) => ({
  user_id,
  device_id,
  registration_id: 1,
  identity_key: 'i',
  authentication_key: 'a',
  signed_prekey_id: 1,
  signed_prekey: 'p',
  signed_prekey_signature: 's',
  signed_prekey_at: 1,
  added_at: 1,
});
const message = (position: number) => ({
  position,
  message_id: `m${position}`,
  sender_user_id: ADA,
  sender_device_id: 1,
  payload: PAYLOAD,
});
const copy = (device_id: number, position: number) => ({
  user_id: BOB,
  device_id,
  position,
  key_type: 'message',
  key_body: KEY,
});

/** What is written once a migration has run: rows for each table that it makes, as the server wrote them then. */
const WRITTEN: Readonly<Record<string, Rows>> = {
  '0001-foundation': {
    counters: [{ name: 'position', value: 3 }],
    accounts: [
      { ...account(ADA), username: 'ada', display_name: 'Ada', sort_name: 'ada' },
      // Looks like the name above.
      { ...account(BOB), username: 'bob', display_name: 'Аda', sort_name: 'аda' },
    ],
    account_words: [{ word: 'ada', user_id: ADA }],
    sessions: [
      { session_id: 's', token_hash: 't', user_id: ADA, device_id: 1, client: 'c', created_at: 1, last_seen_at: 2 },
    ],
    invitations: [
      {
        token_hash: 'i',
        role: 'guest',
        created_by: ADA,
        request_id: 'r',
        created_at: 1,
        expires_at: 2,
        used_by: BOB,
        used_at: 1,
      },
    ],
    device_lists: [{ user_id: ADA, version: 3, account_key: 'k', payload: 'p', signature: 's' }],
    devices: [device(ADA, 1), device(BOB, 1), device(BOB, 2)],
    prekeys: [{ user_id: ADA, device_id: 1, key_id: 1, public_key: 'p' }],
    link_requests: [{ user_id: ADA, device_id: 2, session_id: 's', device: '{}', requested_at: 1, expires_at: 2 }],
    messages: [message(1), message(2), message(3)],
    // Nobody has fetched the first; the second waits for one device; the third is in no queue any more.
    queue: [copy(1, 1), copy(1, 2), copy(2, 1)],
    idempotency: [
      { scope: 'ada/1', id: 'a', method: 'chat.send', result: '{"position":1}', created_at: 1 },
      { scope: 'ada/1', id: 'b', method: 'devices.takeBundles', result: `"${'x'.repeat(31_000)}"`, created_at: 2 },
      { scope: 'sign-in/ada', id: 'c', method: 'accounts.signIn', result: '{}', created_at: 3 },
    ],
  },
  '0004-account-standing': {
    password_resets: [{ token_hash: 'p', user_id: BOB, created_by: ADA, created_at: 1, expires_at: 2, used_at: null }],
    ended_sessions: [{ session_id: 'gone' }],
  },
  '0007-guests-usernames-acts': {
    command_acts: [{ act_id: 'a', action: 'suspend', of: BOB, role: null, count: null, at: 1 }],
  },
};

/** What a migration makes of some of it. */
const CHANGED: Readonly<Record<string, readonly Row[]>> = {
  idempotency: [{ scope: 'ada/1/requests', id: 'b' }],
};

/** Tables that migrations fill from others, and count anew. */
const DERIVED: ReadonlySet<string> = new Set(['large_answers', 'queue_use']);
/** Of the library that migrates. */
const OF_MIGRATIONS = /^kysely_/;

onEachDatabase((newDatabase) => {
  let dataDir: string;
  let databaseUrl: string | undefined;
  let kind: StoreKind;
  let db: Kysely<Schema>;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-migrate-'));
    databaseUrl = (await newDatabase()).DATABASE_URL;
    kind = databaseUrl === undefined ? 'sqlite' : 'postgres';
    const dialect =
      databaseUrl === undefined
        ? new NodeSqliteDialect(join(dataDir, 'teahouse.db'))
        : postgresDialect({ url: databaseUrl, onError: () => undefined });
    db = new Kysely<Schema>({ dialect });
  });
  afterEach(async () => {
    await db.destroy();
    await rm(dataDir, { recursive: true, force: true });
  });

  const tables = async () =>
    (await db.introspection.getTables()).map(({ name }) => name).filter((name) => !OF_MIGRATIONS.test(name));
  const rowsOf = async (table: string) =>
    (await sql<Row>`select * from ${sql.table(table)}`.execute(db)).rows.map(withBuffers);
  async function write(rows: Rows): Promise<void> {
    for (const [table, values] of Object.entries(rows)) {
      for (const row of values)
        await sql`insert into ${sql.table(table)} (${sql.join(Object.keys(row).map((name) => sql.ref(name)))})
          values (${sql.join(Object.values(row))})`.execute(db);
    }
  }

  it('keeps every row of every table from the first version to the newest, step by step', async () => {
    for (const name of MIGRATION_NAMES) {
      await migrate(db, kind, name);
      await write(WRITTEN[name] ?? {});
      // A migration that makes a table has its rows above, or those after it are tried on an empty one.
      for (const table of await tables()) expect(await rowsOf(table), `${table} after ${name}`).not.toEqual([]);
    }
    for (const rows of Object.values(WRITTEN)) {
      for (const [table, written] of Object.entries(rows)) {
        const kept = await rowsOf(table);
        for (const row of written) {
          const changed = CHANGED[table]?.find(({ id }) => id === row.id);
          expect(kept, table).toContainEqual(expect.objectContaining({ ...row, ...changed }));
        }
        if (!DERIVED.has(table) && table !== 'counters') expect(kept, table).toHaveLength(written.length);
      }
    }
    await expectDerived();
    await db.destroy();
    const store = await openStore({ dataDir, databaseUrl });
    expect(await store.db.selectFrom('accounts').select('userId').orderBy('userId').execute()).toHaveLength(2);
    await store.close();
  });

  async function expectDerived(): Promise<void> {
    expect(await rowsOf('counters')).toContainEqual({ name: 'queued_bytes', value: 3 * 100 + 3 * 10 });
    expect(await rowsOf('large_answers')).toEqual([
      expect.objectContaining({ scope: 'ada/1/requests', id: 'b', owner: ADA }),
    ]);
    const used = await sql`select user_id, device_id, bytes, messages, expired, answers from queue_use
      order by user_id, device_id`.execute(db);
    expect(used.rows).toEqual([
      // The payloads once, and every key; the answers of the account's sessions.
      { user_id: ADA, device_id: 0, bytes: 3 * 100 + 3 * 10, messages: 3, expired: 0, answers: 2 },
      { user_id: BOB, device_id: 1, bytes: 2 * 110, messages: 2, expired: 0, answers: 0 },
      { user_id: BOB, device_id: 2, bytes: 110, messages: 1, expired: 0, answers: 0 },
    ]);
    const names = await sql`select user_id, name_skeleton is null as shared from accounts order by user_id`.execute(db);
    expect(names.rows.map((row) => Boolean((row as { shared: unknown }).shared))).toEqual([false, true]);
  }

  it('goes from the first version to the newest at once, as a server does that was not updated for long', async () => {
    await migrate(db, kind, MIGRATION_NAMES[0]);
    await write(WRITTEN['0001-foundation'] ?? {});
    await migrate(db, kind);
    await expectDerived();
  });
});

/** PostgreSQL gives a Buffer, SQLite a Uint8Array. */
function withBuffers(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value) : value]),
  );
}
