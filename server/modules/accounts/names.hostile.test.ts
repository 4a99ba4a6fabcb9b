import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CamelCasePlugin, Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkInvitation, signIn } from '../../../protocol/accounts.ts';
import { accountStanding } from '../../store/migrations/0004-account-standing.ts';
import { foundation } from '../../store/migrations/0001-foundation.ts';
import { migrate } from '../../store/migrate.ts';
import type { Schema } from '../../store/schema.ts';
import { NodeSqliteDialect } from '../../store/sqlite.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newId, PASSWORD, Person } from '../../testing/person.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';
import { skeletonOf } from '../../name-skeleton.ts';
import { PasswordHasher } from './passwords.ts';
import { changeStatus } from './standing.ts';

describe('names that look alike', () => {
  it.each([
    ['Ada Lovelace', 'ada lovelace'],
    ['Ada Lovelace', 'Аԁа Ⅼоvеⅼасе'],
    ['Ian', 'lan'],
    ['Ian', '1an'],
    ['Scope', 'Ѕсоре'],
    ['Zoë O’Neil', "Zoë O'Neil"],
    ['Bernard', 'Bemard'],
    ['Ola', '0la'],
    ['Ada', 'A\u200bda'],
    ['Ada', 'A\u00adda'],
    ['𝐀da', 'Ada'],
  ])('%s and %s', (one, other) => expect(skeletonOf(one)).toBe(skeletonOf(other)));

  it.each([
    ['Ada', 'Ana'],
    ['Zoe', 'Zoë'],
    ['王小明', '王小朋'],
    ['Ada Byron', 'Ada Lovelace'],
    ['مريم', 'مرام'],
  ])('but not %s and %s', (one, other) => expect(skeletonOf(one)).not.toBe(skeletonOf(other)));

  it('take little time, whatever the name', () => {
    const started = performance.now();
    for (const letter of ['I', 'm', '1', '\u0301', 'ﷺ', '王', '𝐀']) skeletonOf(letter.repeat(64));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

onEachDatabase((newDatabase) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
    await server.join(new Person('Ada Lovelace'));
  });
  afterAll(() => server.dispose());

  it('nobody joins under a name that looks like somebody’s', async () => {
    const visitor = await server.connect();
    const invitation = await server.invitation();
    for (const name of ['Ada Lovelace', 'ADA LOVELACE', 'Ada Love1ace', 'Аԁа Lovelace']) {
      await refusal('display_name_taken', new Person(name).signUp(visitor, invitation));
    }
    for (const name of ['Ada\u200b Lovelace', 'Ada Lovelace\u3164', 'Аda Lovelace']) {
      await refusal('invalid_request', new Person(name).signUp(visitor, invitation));
    }
    await visitor.request(checkInvitation, { invitation });
    await new Person('Ada Lovelace (Engines)').signUp(visitor, invitation);
  });

  it('nobody joins under a username that looks like somebody’s, nor one that was removed', async () => {
    const visitor = await server.connect();
    const { person } = await server.join(new Person(undefined, 'il10.modern'));
    for (const username of ['il10.modern', 'i110.modern', 'illo.modern', 'il1o.rnodern', 'ill0.modem'])
      await refusal('username_taken', new Person(undefined, username).signUp(visitor, await server.invitation()));
    // These look different: a dot is no hyphen, and "j" no "i".
    for (const username of ['il10-modern', 'jl10.modern']) await server.join(new Person(undefined, username));
    await changeStatus({ store: server.store }, person.userId, 'removed', null);
    await refusal('username_taken', new Person(undefined, 'i110.modern').signUp(visitor, await server.invitation()));
  });

  it('of two who ask for usernames that look alike at once, one gets hers', async () => {
    const visitor = await server.connect();
    const invitations = await Promise.all([1, 2, 3].map(() => server.invitation()));
    const names = ['a1an', 'alan', 'aian'];
    const all = await Promise.allSettled(
      invitations.map((invitation, index) => new Person(undefined, names[index]).signUp(visitor, invitation)),
    );
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toMatchObject([{ code: 'username_taken' }]);
  });

  it('of two who ask for one name at once, one gets it', async () => {
    const visitor = await server.connect();
    const invitations = await Promise.all([1, 2, 3].map(() => server.invitation()));
    const all = await Promise.allSettled(
      invitations.map((invitation) => new Person('Grace Hopper').signUp(visitor, invitation)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of all) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'display_name_taken' });
    }
  });
});

it('an older database is taken over: who has a username that looks like another’s keeps it and signs in', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'teahouse-names-'));
  const older = new Kysely<Schema>({ dialect: new NodeSqliteDialect(join(folder, 'teahouse.db')) });
  await migrate(older, 'sqlite', '0006-sender-keys');
  const passwordHash = await new PasswordHasher().hash(PASSWORD);
  for (const [index, username] of ['alan', 'a1an'].entries()) {
    await sql`insert into accounts (user_id, username, display_name, sort_name, role, password_hash, account_key, created_at)
      values (${newId()}, ${username}, ${username}, ${username}, 'member', ${passwordHash}, 'k', ${index})`.execute(
      older,
    );
  }
  await older.destroy();

  const again = await startTestServer({}, { TEAHOUSE_DATA: folder });
  try {
    const rows = await again.store.db.selectFrom('accounts').select(['username', 'usernameSkeleton']).execute();
    expect(new Map(rows.map((row) => [row.username, row.usernameSkeleton]))).toEqual(
      new Map([
        ['alan', skeletonOf('alan')],
        ['a1an', null],
      ]),
    );
    const visitor = await again.connect();
    for (const username of ['alan', 'a1an'])
      await visitor.request(signIn, { ...new Person().signInParams(null), username });
    await refusal('username_taken', new Person(undefined, 'a1an').signUp(visitor, await again.invitation()));
  } finally {
    await again.dispose();
  }
});

it('an older database is taken over: people who share a name keep it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'teahouse-names-'));
  const db = new Kysely<unknown>({
    dialect: new NodeSqliteDialect(join(folder, 'teahouse.db')),
    plugins: [new CamelCasePlugin()],
  });
  try {
    await foundation('sqlite').up(db);
    for (const [index, name] of ['Ann Lee', 'Ann Lee', 'Ben\u200b'].entries()) {
      await sql`insert into accounts values (${`id${index}`}, ${`u${index}`}, ${name}, ${name}, 'member', '', '', ${index})`.execute(
        db,
      );
    }
    await accountStanding().up(db);
    const { rows } =
      await sql`select display_name as name, status, name_skeleton as skeleton from accounts order by user_id`.execute(
        db,
      );
    expect(rows).toEqual([
      { name: 'Ann Lee', status: 'active', skeleton: skeletonOf('Ann Lee') },
      { name: 'Ann Lee', status: 'active', skeleton: null },
      { name: 'Ben\u200b', status: 'active', skeleton: skeletonOf('Ben') },
    ]);
  } finally {
    await db.destroy();
    rmSync(folder, { recursive: true });
  }
});
