import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changePassword, createInvitations, revokeSession } from '../../../protocol/accounts.ts';
import { reinstate, remove, resetPassword, suspend } from '../../../protocol/administration.ts';
import { publishProfile } from '../../../protocol/contacts.ts';
import { publishList } from '../../../protocol/devices.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { SessionId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { newId, PASSWORD, Person } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { changeStatus } from './standing.ts';

/*
 * What a connection may do is settled at its hello. Somebody who is being suspended, or whose session is being ended, has
 * requests under way that are carried out after that; they must take no effect.
 */

/** Long enough for requests to come as far as they do while others hold what they need. Milliseconds. */
const UNDER_WAY_MS = 300;

onEachDatabase((newDatabase) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
    await server.join(new Person(), 'admin');
  });
  afterAll(() => server.dispose());

  /** The people an administrator acts on: one for each act, so that none is refused for another's sake. */
  async function victims() {
    const [one, two, three, four] = [
      await server.join(),
      await server.join(),
      await server.join(),
      await server.join(),
    ];
    await server.store.transaction((trx) => change(trx, three, 'suspended'));
    return { suspended: one, removed: two, reinstated: three, reset: four };
  }

  /** As the server does it, in a transaction that others wait for. */
  const change = (trx: Trx, { person }: Member, status: 'suspended' | 'removed') => {
    const store = { ...server.store, transaction: <T>(work: (inner: Trx) => Promise<T>) => work(trx) };
    return changeStatus({ store }, person.userId, status, null);
  };

  const administer = ({ client }: Member, people: Awaited<ReturnType<typeof victims>>) => [
    client.request(createInvitations, { count: 1, role: 'admin', validHours: 24, idempotencyId: newId() }),
    client.request(resetPassword, { userId: people.reset.person.userId, idempotencyId: newId() }),
    client.request(suspend, { userId: people.suspended.person.userId }),
    client.request(remove, { userId: people.removed.person.userId }),
    client.request(reinstate, { userId: people.reinstated.person.userId }),
  ];

  const keep = ({ client, person }: Member, other: SessionId) => [
    client.request(changePassword, { current: PASSWORD, password: 'a password of their own' }),
    client.request(revokeSession, { sessionId: other }),
    client.request(publishList, { list: person.list(2), idempotencyId: newId() }),
    client.request(publishProfile, { profile: person.profile(1) }),
  ];

  /** The codes of requests that were made while `work` held what they need. */
  async function codesAfter(work: (trx: Trx) => Promise<unknown>, ask: () => readonly Promise<unknown>[]) {
    const settled = await server.store.db.transaction().execute(async (trx) => {
      await work(trx);
      const requests = Promise.allSettled(ask());
      await delay(UNDER_WAY_MS);
      return { requests };
    });
    return (await settled.requests).map((one) =>
      one.status === 'fulfilled' ? 'ok' : (one.reason as { code: ErrorCode }).code,
    );
  }

  async function expectUntouched(admin: Member, people: Awaited<ReturnType<typeof victims>>): Promise<void> {
    const { db } = server.store;
    const { userId } = admin.person;
    expect(await db.selectFrom('invitations').select('role').where('createdBy', '=', userId).execute()).toEqual([]);
    expect(await db.selectFrom('passwordResets').select('userId').where('createdBy', '=', userId).execute()).toEqual(
      [],
    );
    const statusOf = async ({ person }: Member) =>
      (await db.selectFrom('accounts').select('status').where('userId', '=', person.userId).executeTakeFirst())?.status;
    expect(await statusOf(people.suspended)).toBe('active');
    expect(await statusOf(people.removed)).toBe('active');
    expect(await statusOf(people.reinstated)).toBe('suspended');
  }

  const own = ({ person: { userId } }: Member, db: Database = server.store.db) =>
    db
      .selectFrom('accounts')
      .leftJoin('deviceLists', 'deviceLists.userId', 'accounts.userId')
      .select(['passwordHash', 'version', 'profilePayload'])
      .where('accounts.userId', '=', userId)
      .executeTakeFirst();

  it.each([
    ['suspended', 'account_suspended'],
    ['removed', 'session_invalid'],
  ] as const)('nothing that an administrator has under way is done once they are %s', async (status, code) => {
    const [admin, people] = [await server.join(new Person(), 'admin'), await victims()];
    const codes = await codesAfter(
      (trx) => change(trx, admin, status),
      () => administer(admin, people),
    );
    expect(codes).toEqual(codes.map(() => code));
    await expectUntouched(admin, people);
  });

  it('nothing is done by an administrator who has become a member', async () => {
    const [admin, people] = [await server.join(new Person(), 'admin'), await victims()];
    const demote = (trx: Trx) =>
      trx.updateTable('accounts').set({ role: 'member' }).where('userId', '=', admin.person.userId).execute();
    const codes = await codesAfter(demote, () => administer(admin, people));
    expect(codes).toEqual(codes.map(() => 'forbidden'));
    await expectUntouched(admin, people);
  });

  it.each([
    ['suspended', 'account_suspended'],
    ['removed', 'session_invalid'],
  ] as const)('nor what belongs to somebody’s own account, once it is %s', async (status, code) => {
    const ada = await server.join();
    let before: unknown;
    const codes = await codesAfter(
      async (trx) => {
        await change(trx, ada, status);
        before = await own(ada, trx);
      },
      () => keep(ada, newId() as string as SessionId),
    );
    expect(codes).toEqual(codes.map(() => code));
    expect(await own(ada)).toEqual(before);
  });

  it('nor once the session was ended, as of a device that was lost', async () => {
    const ada = await server.join();
    const { sessionId: lost } = await sessionOf(ada);
    const visitor = await server.connect();
    await ada.person.signIn(visitor, null);
    const before = await own(ada);
    const other = (await sessionsOf(ada)).find(({ sessionId }) => sessionId !== lost)?.sessionId as SessionId;
    const codes = await codesAfter(
      (trx) => trx.deleteFrom('sessions').where('sessionId', '=', lost).execute(),
      () => keep(ada, other),
    );
    expect(codes).toEqual(codes.map(() => 'session_invalid'));
    expect(await own(ada)).toEqual(before);
    expect((await sessionsOf(ada)).map(({ sessionId }) => sessionId)).toEqual([other]);
  });

  it('of two administrators who suspend each other at once one stays', async () => {
    for (let round = 0; round < 4; round++) {
      const [one, two] = [await server.join(new Person(), 'admin'), await server.join(new Person(), 'admin')];
      const settled = await Promise.allSettled([
        one.client.request(suspend, { userId: two.person.userId }),
        two.client.request(suspend, { userId: one.person.userId }),
      ]);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const users = [one, two].map(({ person }) => person.userId);
      const rows = server.store.db.selectFrom('accounts').select('status').where('userId', 'in', users);
      expect((await rows.execute()).map(({ status }) => status).toSorted()).toEqual(['active', 'suspended']);
    }
  });

  const sessionsOf = ({ person: { userId } }: Member) =>
    server.store.db.selectFrom('sessions').select('sessionId').where('userId', '=', userId).execute();
  const sessionOf = async (member: Member) => (await sessionsOf(member))[0] as { sessionId: SessionId };
});
