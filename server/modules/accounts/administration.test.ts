import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  changePassword,
  checkReset,
  completeReset,
  createInvitations,
  revokeSession,
  sessions,
  signIn,
  type Role,
} from '../../../protocol/accounts.ts';
import { managedPeople, reinstate, remove, resetPassword, suspend } from '../../../protocol/administration.ts';
import { pending } from '../../../protocol/chat.ts';
import { changed, get, search } from '../../../protocol/contacts.ts';
import { linked as linkedEvent, lists, publishList, requestLink } from '../../../protocol/devices.ts';
import { CloseCode } from '../../../protocol/frames.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId, PASSWORD, Person, sendTo } from '../../testing/person.ts';
import type { SocketClient } from '../../testing/socket-client.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';
import { createReset, usersExist } from './index.ts';
import { expireSessions } from './sessions.ts';

const DAY_MS = 86_400_000;
const OTHER = 'another good password';

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let admin: Member;
  let ahead = 0;

  beforeAll(async () => {
    server = await startTestServer({ now: () => Date.now() + ahead }, await newDatabase());
    admin = await server.join(new Person('The Boss'), 'admin');
  });
  afterAll(() => server.dispose());

  const join = (role: Role = 'member') => server.join(new Person(), role);
  const statusOf = async ({ person: { userId, username } }: Member) => {
    const { people } = await admin.client.request(managedPeople, { text: username, limit: 10 });
    return people.find((person) => person.userId === userId)?.status;
  };
  const signInAgain = async ({ person }: Member, password = PASSWORD) => {
    const client = await server.connect();
    const { challenge } = await client.hello();
    const { session } = await client.request(signIn, { ...person.signInParams(challenge), password });
    return client.hello({ session });
  };

  it('a suspended person is out on a connection whose session became a device’s, too', async () => {
    const eve = await join();
    const { public: second } = newDevice();
    const connections: SocketClient[] = [];
    for (const asks of [false, true]) {
      const client = await server.connect();
      await client.hello({ session: (await eve.person.signIn(client, null)) as never });
      if (asks) await client.request(requestLink, { device: second, idempotencyId: newId() });
      connections.push(client);
    }
    const [, linked] = connections;
    const list = eve.person.list(2, [eve.person.device.public, second]);
    await eve.client.request(publishList, { list, idempotencyId: newId() });
    await linked?.next(linkedEvent);
    await admin.client.request(suspend, { userId: eve.person.userId });
    for (const { closed } of [eve.client, ...connections])
      expect(await Promise.race([closed, sleep(10_000, 'still open')])).toBe(CloseCode.sessionRevoked);
  });

  it('a suspended person is out at once, and can be neither found, called nor written to', async () => {
    const [ben, eve] = [await join(), await join()];
    await sendTo(ben.client, eve.person);
    await admin.client.request(suspend, { userId: eve.person.userId });
    expect(await eve.client.closed).toBe(CloseCode.sessionRevoked);
    await refusal('session_invalid', (await server.connect()).hello({ session: eve.session as never }));
    await refusal('account_suspended', signInAgain(eve));
    await refusal('credentials_invalid', signInAgain(eve, 'a wrong password'));
    await refusal('user_unknown', sendTo(ben.client, eve.person));
    const found = await ben.client.request(search, { text: eve.person.username, limit: 5 });
    expect(found.people).toEqual([]);
    expect(await usersExist(server.store.db, [eve.person.userId])).toBe(false);
    const { person } = await ben.client.next(changed, (event) => event.person.status !== undefined);
    expect(person.status).toBe('suspended');
    expect((await ben.client.request(get, { users: [eve.person.userId] })).people).toEqual([person]);

    await admin.client.request(reinstate, { userId: eve.person.userId });
    await admin.client.request(reinstate, { userId: eve.person.userId });
    await sendTo(ben.client, eve.person);
    const back = await server.connect();
    const session = await eve.person.signIn(back, (await back.hello()).challenge);
    await back.hello({ session: session as never });
    const waiting = await back.request(pending, { after: 0, limit: 10 });
    expect(waiting.envelopes, 'what waited is still there').toHaveLength(2);
  });

  it('a removed person leaves nothing behind but the name, which nobody else can take', async () => {
    const [ben, eve] = [await join(), await join()];
    const { userId, username, displayName } = eve.person;
    await sendTo(ben.client, eve.person);
    await admin.client.request(remove, { userId });
    expect(await eve.client.closed).toBe(CloseCode.sessionRevoked);
    await refusal('credentials_invalid', signInAgain(eve));
    await refusal('user_unknown', sendTo(ben.client, eve.person));
    expect((await ben.client.request(lists, { users: [userId] })).lists).toEqual([]);
    for (const table of ['devices', 'prekeys', 'queue', 'sessions', 'deviceLists', 'accountWords'] as const) {
      const rows = await server.store.db.selectFrom(table).selectAll().where('userId', '=', userId).execute();
      expect(rows, table).toEqual([]);
    }
    const [known] = (await ben.client.request(get, { users: [userId] })).people;
    expect(known).toEqual({ userId, username, displayName, role: 'member', status: 'removed' });
    const visitor = await server.connect();
    const again = new Person('Somebody New', username);
    await refusal('username_taken', again.signUp(visitor, await server.invitation()));
    await refusal('user_unknown', admin.client.request(reinstate, { userId }));
    await refusal('user_unknown', admin.client.request(resetPassword, { userId, idempotencyId: newId() }));
    expect(await statusOf(eve)).toBe('removed');
    // The display name is free.
    await new Person(displayName).signUp(visitor, await server.invitation());
  });

  it('the last administrator stays, also when two act at once', async () => {
    const own = { userId: admin.person.userId };
    await refusal('last_administrator', admin.client.request(suspend, own));
    await refusal('last_administrator', admin.client.request(remove, own));
    const other = await join('admin');
    const both = await Promise.allSettled([
      admin.client.request(suspend, { userId: other.person.userId }),
      other.client.request(suspend, own),
    ]);
    const left = await server.store.db
      .selectFrom('accounts')
      .select('userId')
      .where('role', '=', 'admin')
      .where('status', '=', 'active')
      .execute();
    expect(left).toHaveLength(1);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    // For the tests that follow, the first one is in charge.
    await server.store.db.updateTable('accounts').set({ status: 'active' }).where('userId', '=', own.userId).execute();
    await server.store.db
      .updateTable('accounts')
      .set({ status: 'suspended' })
      .where('userId', '=', other.person.userId)
      .execute();
    const client = await server.connect();
    const session = await admin.person.signIn(client, (await client.hello()).challenge);
    admin = { ...admin, session, client: await server.connect(session) };
  });

  it('an administrator who is suspended leaves no door open', async () => {
    const [eve, ada] = [await join('admin'), await join()];
    const { invitations } = await eve.client.request(createInvitations, {
      count: 2,
      role: 'admin',
      validHours: 24,
      idempotencyId: newId(),
    });
    const asked = { userId: ada.person.userId, idempotencyId: newId() };
    const { reset } = await eve.client.request(resetPassword, asked);
    await admin.client.request(suspend, { userId: eve.person.userId });
    const visitor = await server.connect();
    await refusal('invitation_invalid', new Person().signUp(visitor, invitations[0] ?? ''));
    await refusal('reset_invalid', visitor.request(completeReset, { reset, password: OTHER }));
  });

  it('is for administrators', async () => {
    const { client } = await join();
    const userId = admin.person.userId;
    for (const method of [suspend, reinstate, remove])
      await refusal('forbidden', client.request(method as typeof suspend, { userId }));
    await refusal('forbidden', client.request(resetPassword, { userId, idempotencyId: newId() }));
    await refusal('forbidden', client.request(managedPeople, { text: '', limit: 1 }));
    await refusal('user_unknown', admin.client.request(suspend, { userId: newId() as string as UserId }));
  });

  it('lists everybody in pages, and finds by any part of a name', async () => {
    await server.join(new Person('Łukasz 100%_Weiß'));
    for (const text of ['kasz', '0%_w', 'the boss'])
      expect((await admin.client.request(managedPeople, { text, limit: 10 })).people).toHaveLength(1);
    expect((await admin.client.request(managedPeople, { text: 'a%b', limit: 10 })).people).toEqual([]);
    await refusal('invalid_request', admin.client.request(managedPeople, { text: 'a\0b', limit: 10 }));
    const seen = new Set<string>();
    let after: UserId | undefined;
    for (let more = true; more;) {
      const page = await admin.client.request(managedPeople, { text: '', limit: 2, ...(after ? { after } : {}) });
      for (const { userId } of page.people) seen.add(userId);
      after = page.people.at(-1)?.userId;
      more = page.more;
    }
    const [{ count }] = (await server.store.db
      .selectFrom('accounts')
      .select((rows) => rows.fn.countAll<number>().as('count'))
      .execute()) as [{ count: number }];
    expect(seen.size).toBe(Number(count));
  });

  it('a reset link sets a password once, and ends all sessions', async () => {
    const ada = await join();
    const { userId, username } = ada.person;
    const asked = { userId, idempotencyId: newId() };
    const lost = await admin.client.request(resetPassword, asked);
    const { reset } = await admin.client.request(resetPassword, asked);
    const visitor = await server.connect();
    await refusal('reset_invalid', visitor.request(checkReset, { reset: lost.reset }));
    expect(await visitor.request(checkReset, { reset })).toMatchObject({ username, organisation: 'Teahouse' });
    const params = { reset, password: OTHER };
    expect(await visitor.request(completeReset, params)).toEqual({ username });
    expect(await visitor.request(completeReset, params), 'its answer was lost').toEqual({ username });
    expect(await ada.client.closed).toBe(CloseCode.sessionRevoked);
    await refusal('reset_invalid', visitor.request(checkReset, { reset }));
    await refusal('reset_invalid', visitor.request(completeReset, { reset, password: PASSWORD }));
    await refusal('credentials_invalid', signInAgain(ada));
    await signInAgain(ada, OTHER);
  });

  it('a reset link expires, and is void for who is suspended', async () => {
    const ada = await join();
    const visitor = await server.connect();
    const { reset } = await server.store.transaction((trx) => createReset(trx, ada.person.userId, null, Date.now()));
    await admin.client.request(suspend, { userId: ada.person.userId });
    await refusal('reset_invalid', visitor.request(completeReset, { reset, password: OTHER }));
    await admin.client.request(reinstate, { userId: ada.person.userId });
    await refusal('reset_invalid', visitor.request(checkReset, { reset }));
    const second = await server.store.transaction((trx) => createReset(trx, ada.person.userId, null, Date.now()));
    ahead = DAY_MS + 1;
    try {
      await refusal('reset_invalid', visitor.request(checkReset, { reset: second.reset }));
    } finally {
      ahead = 0;
    }
  });

  it('people change their own password, and their other sessions end', async () => {
    const ada = await join();
    const other = await server.connect(await ada.person.signIn(await server.connect(), null));
    await refusal('password_wrong', ada.client.request(changePassword, { current: 'no', password: OTHER }));
    await refusal('device_required', other.request(changePassword, { current: PASSWORD, password: OTHER }));
    const params = { current: PASSWORD, password: OTHER };
    await ada.client.request(changePassword, params);
    expect(await ada.client.request(changePassword, params), 'a repeat').toEqual({});
    expect(await other.closed).toBe(CloseCode.sessionRevoked);
    expect((await ada.client.request(sessions, {})).sessions).toHaveLength(1);
    await refusal('credentials_invalid', signInAgain(ada));
  });

  it('sessions end when they are not used, and after their time', async () => {
    const ada = await join();
    const [own] = (await ada.client.request(sessions, {})).sessions;
    expect((own?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(29 * DAY_MS);
    ahead = 29 * DAY_MS;
    await (await server.connect()).hello({ session: ada.session as never });
    for (const days of [58, 87, 116, 145, 174]) {
      ahead = days * DAY_MS;
      await (await server.connect()).hello({ session: ada.session as never });
    }
    ahead = 181 * DAY_MS;
    await refusal('session_invalid', (await server.connect()).hello({ session: ada.session as never }));
    ahead = 0;
    const ben = await join();
    ahead = 31 * DAY_MS;
    await refusal('session_invalid', (await server.connect()).hello({ session: ben.session as never }));
    ahead = 0;
  });

  it('an account has as many sessions as its owner can look through', async () => {
    const ada = await join();
    const first = await ada.person.signIn(await server.connect(), null);
    for (let i = 0; i < 20; i++) await ada.person.signIn(await server.connect(), null);
    const list = (await ada.client.request(sessions, {})).sessions;
    expect(list).toHaveLength(21);
    await refusal('session_invalid', (await server.connect()).hello({ session: first as never }));
    await ada.client.request(revokeSession, { sessionId: list.find(({ current }) => !current)!.sessionId });
  });

  it('a session that is connected all the time is in use', async () => {
    const [ada, ben] = [await join(), await join()];
    const idOf = async ({ client }: Member) => (await client.request(sessions, {})).sessions[0]!.sessionId;
    const [live, idle] = [await idOf(ada), await idOf(ben)];
    const life = { idleMs: 30 * DAY_MS, maxMs: 180 * DAY_MS };
    const ended = await expireSessions(server.store.db, life, [live], Date.now() + 31 * DAY_MS);
    expect(ended).toContain(idle);
    expect(ended).not.toContain(live);
    expect(await expireSessions(server.store.db, life, [live], Date.now() + 181 * DAY_MS)).toContain(live);
  });
});
