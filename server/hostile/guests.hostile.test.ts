import fc from 'fast-check';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changePassword, sessions, signOut } from '../../protocol/accounts.ts';
import { managedPeople, reinstate, suspend } from '../../protocol/administration.ts';
import { start } from '../../protocol/calls.ts';
import { changed, get, search } from '../../protocol/contacts.ts';
import { METHODS } from '../../protocol/contract.ts';
import { lists, takeBundles } from '../../protocol/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { CallId, UserId } from '../../protocol/ids.ts';
import { closeGuests } from '../store/migrations/0007-guests-usernames-acts.ts';
import { refusal } from '../testing/expect-code.ts';
import { newId, PASSWORD, Person, sendTo } from '../testing/person.ts';
import { rightFor } from '../testing/schema-values.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';

/* What an account of a guest may do: nothing, by default. A method that is added is refused unless it says otherwise. */

/** Before sign-in a guest is a stranger like any; after it these are what is left. */
const ALLOWED = new Set([
  'hello',
  'ping',
  'accounts.checkInvitation',
  'accounts.checkReset',
  'accounts.completeReset',
  'accounts.signUp',
  'accounts.signIn',
  'accounts.signOut',
  'accounts.sessions',
  'accounts.revokeSession',
  // Whoever learned it is out again.
  'accounts.changePassword',
  'devices.prekeyStatus',
]);

let server: TestServer;
let guest: Member;
let member: Member;
beforeAll(async () => {
  server = await startTestServer({}, { TEAHOUSE_MEDIA_WORKERS: '1' });
  member = await server.join();
  guest = await server.join(new Person('Guest'), 'guest');
});
afterAll(() => server.dispose());

it.each(METHODS.filter(({ name }) => !ALLOWED.has(name)).map((method) => [method.name, method] as const))(
  '%s is refused to a guest',
  async (name, method) => {
    for (const params of fc.sample(rightFor(method.params), 3)) {
      const error = await guest.client.raw(name, params).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as ProtocolError).code).toBe('forbidden');
    }
  },
);

it('a guest hears nothing of the others', async () => {
  await server.join();
  await sendTo(member.client, member.person).catch(() => undefined);
  await member.client.next(changed);
  await refusal('user_unknown', sendTo(member.client, guest.person));
  // Asked after all of that, on the same line.
  expect((await guest.client.request(sessions, {})).sessions).toHaveLength(1);
  expect(guest.client.events).toEqual([]);
});

it('nobody finds a guest, rings them, sees their devices, takes their keys or writes to them', async () => {
  const { person } = guest;
  const users = [person.userId];
  const nobody = [newId() as string as UserId];
  const devices = (userId: UserId) => [{ userId, deviceId: person.device.public.deviceId }];
  const asked = async (ids: readonly UserId[]) => [
    await member.client.request(get, { users: [...ids] }),
    await member.client.request(lists, { users: [...ids] }),
    await member.client.request(takeBundles, { devices: devices(ids[0]!), idempotencyId: newId() }),
  ];
  expect(await asked(users)).toEqual(await asked(nobody));
  expect(await asked(users)).toEqual([{ people: [] }, { lists: [] }, { bundles: [] }]);
  expect((await member.client.request(search, { text: person.username, limit: 5 })).people).toEqual([]);
  const call = { callId: newId() as string as CallId, media: 'voice', idempotencyId: newId() } as const;
  await refusal('user_unknown', member.client.request(start, { ...call, invite: users }));
  await refusal('user_unknown', sendTo(member.client, person));
  for (const table of ['queue', 'prekeys'] as const) {
    const rows = await server.store.db.selectFrom(table).select('userId').where('userId', '=', person.userId).execute();
    expect(rows, table).toHaveLength(table === 'queue' ? 0 : person.device.public.prekeys.length);
  }
});

it('nobody is told that a guest came, was suspended and was let in again', async () => {
  const admin = await server.join(new Person(), 'admin');
  const other = await server.join(new Person(), 'guest');
  const { userId } = other.person;
  await admin.client.request(suspend, { userId });
  await admin.client.request(reinstate, { userId });
  await refusal('user_unknown', sendTo(member.client, other.person));
  const last = await server.join();
  await member.client.next(changed, ({ person }) => person.userId === last.person.userId);
  expect(JSON.stringify(member.client.events)).not.toContain(userId);
  const { people } = await admin.client.request(managedPeople, { text: other.person.username, limit: 5 });
  expect(people, 'administrators know of them').toHaveLength(1);
});

it('guests of an older database are closed to others too', async () => {
  const other = await server.join(new Person(), 'guest');
  const { db } = server.store;
  await db.updateTable('deviceLists').set({ suspended: 0 }).execute();
  await closeGuests(db as unknown as Kysely<unknown>);
  await refusal('user_unknown', sendTo(member.client, other.person));
  await sendTo((await server.join()).client, member.person);
});

it('a guest changes their own password', async () => {
  const other = await server.join(new Person(), 'guest');
  await other.client.request(changePassword, { current: PASSWORD, password: 'another good password' });
});

it('a guest signs in, sees their sessions and signs out', async () => {
  const client = await server.connect();
  const { challenge } = await client.hello();
  const session = await guest.person.signIn(client, challenge);
  await client.hello({ session: session as never });
  expect((await client.request(sessions, {})).sessions.length).toBeGreaterThan(0);
  expect(await client.request(signOut, {})).toEqual({});
});
