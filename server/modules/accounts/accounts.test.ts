import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  checkInvitation,
  createInvitations,
  revokeSession,
  sessions,
  type Session,
  signIn,
  signOut,
  signUp,
} from '../../../protocol/accounts.ts';
import { changed } from '../../../protocol/contacts.ts';
import { CloseCode } from '../../../protocol/frames.ts';
import type { SessionId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId, PASSWORD, Person } from '../../testing/person.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

const HOUR_MS = 3_600_000;
const NO_TOKEN = 'A'.repeat(43);

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let ahead = 0;

  beforeAll(async () => {
    server = await startTestServer({ now: () => Date.now() + ahead }, await newDatabase());
  });
  afterAll(() => server.dispose());

  it('makes an account from an invitation, which is then used up', async () => {
    const invitation = await server.invitation('guest');
    const visitor = await server.connect();
    const known = await visitor.request(checkInvitation, { invitation });
    expect(known).toMatchObject({ role: 'guest', organisation: 'Teahouse' });

    const person = new Person('Zoë Ångström');
    const { session, account } = await person.signUp(visitor, invitation);
    const { userId, username, displayName } = person;
    expect(account).toEqual({ userId, username, displayName, role: 'guest' });
    const client = await server.connect();
    expect(await client.hello({ session: session as never })).toMatchObject({
      account,
      deviceId: person.device.public.deviceId,
    });

    await refusal('invitation_used', visitor.request(checkInvitation, { invitation }));
    await refusal('invitation_used', new Person().signUp(visitor, invitation));
  });

  it('refuses unknown and expired invitations', async () => {
    const visitor = await server.connect();
    const invitation = await server.invitation();
    await refusal('invitation_invalid', visitor.request(checkInvitation, { invitation: NO_TOKEN }));
    await refusal('invitation_invalid', new Person().signUp(visitor, NO_TOKEN));
    ahead = HOUR_MS + 1;
    try {
      await refusal('invitation_expired', visitor.request(checkInvitation, { invitation }));
      await refusal('invitation_expired', new Person().signUp(visitor, invitation));
    } finally {
      ahead = 0;
    }
  });

  it('lets one invitation make one account, also when two ask at once', async () => {
    const invitation = await server.invitation();
    const visitor = await server.connect();
    const both = await Promise.allSettled([
      new Person().signUp(visitor, invitation),
      new Person().signUp(visitor, invitation),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('answers a repeated sign-up with a fresh session for the same account, and to nobody else', async () => {
    const visitor = await server.connect();
    const person = new Person();
    const params = person.signUpParams(await server.invitation());
    const first = await visitor.request(signUp, params);
    const second = await visitor.request(signUp, params);
    expect(second.account).toEqual(first.account);
    expect((await (await server.connect()).hello({ session: second.session })).account).toEqual(first.account);
    await refusal('session_invalid', (await server.connect()).hello({ session: first.session }));
    await refusal('credentials_invalid', visitor.request(signUp, { ...params, password: 'another password' }));
  });

  it('makes one account of a sign-up that is sent several times at once', async () => {
    const visitor = await server.connect();
    const params = new Person().signUpParams(await server.invitation());
    const answers = await Promise.all([1, 2, 3].map(() => visitor.request(signUp, params)));
    expect(new Set(answers.map(({ account }) => account.userId)).size).toBe(1);
  });

  it('refuses a taken username and a taken user id, and leaves the invitation usable', async () => {
    const { person } = await server.join();
    const visitor = await server.connect();
    const invitation = await server.invitation();
    await refusal('username_taken', new Person('Somebody', person.username).signUp(visitor, invitation));
    const params = { ...person.signUpParams(invitation), username: 'somebody.else' };
    await refusal('account_exists', visitor.request(signUp, params));
    await new Person().signUp(visitor, invitation);
  });

  it('tells the others who joined', async () => {
    const { client } = await server.join();
    const { person } = await server.join();
    const { person: told } = await client.next(changed, (params) => params.person.userId === person.userId);
    expect(told.displayName).toBe(person.displayName);
  });

  it('signs in with a device that proves itself on this connection', async () => {
    const { person, client: old } = await server.join();
    const client = await server.connect();
    const { challenge } = await client.hello();
    const session = await person.signIn(client, challenge);
    expect(await client.hello({ session: session as never })).toMatchObject({
      deviceId: person.device.public.deviceId,
    });
    expect(await old.closed, 'the device has one session').toBe(CloseCode.sessionRevoked);
  });

  it('refuses a wrong password, an unknown name, an unknown device and a proof that does not fit', async () => {
    const { person } = await server.join();
    const client = await server.connect();
    const { challenge } = await client.hello();
    const right = person.signInParams(challenge);
    await refusal('credentials_invalid', client.request(signIn, { ...right, password: 'wrong' }));
    await refusal('credentials_invalid', client.request(signIn, { ...right, username: 'nobody.at.all' }));
    await refusal('device_unknown', client.request(signIn, person.signInParams(challenge, newDevice())));
    const elsewhere = (await (await server.connect()).hello()).challenge;
    await refusal('device_proof_invalid', client.request(signIn, person.signInParams(elsewhere)));
    await client.request(signIn, right);
  });

  it('signs in without a device, for a session that can ask to be linked', async () => {
    const { person } = await server.join();
    const client = await server.connect();
    const session = await person.signIn(client, null);
    expect(await client.hello({ session: session as never })).toMatchObject({
      account: { userId: person.userId },
      deviceId: null,
    });
  });

  it('makes one session of a sign-in that is repeated', async () => {
    const { person, client: device } = await server.join();
    const client = await server.connect();
    const params = person.signInParams(null);
    await client.request(signIn, params);
    const { session } = await client.request(signIn, params);
    await client.hello({ session });
    await expect(client.request(sessions, {}), 'a password alone').rejects.toMatchObject({ code: 'device_required' });
    const list = await device.request(sessions, {});
    expect(list.sessions.filter(({ deviceId }) => deviceId === null)).toHaveLength(1);
  });

  it('whoever is connected is seen now, whoever is not was seen when they were', async () => {
    const { person, client } = await server.join();
    const [there, gone] = [await server.connect(), await server.connect()];
    for (const [name, other] of [
      ['there', there],
      ['gone', gone],
    ] as const)
      await other.hello({ session: (await person.signIn(other, null)) as never, client: name });
    gone.close();
    await gone.closed;
    ahead += 10 * 60_000;
    const list = (await client.request(sessions, {})).sessions;
    const seen = (wanted: (one: Session) => boolean) => list.find(wanted)?.lastSeenAt ?? 0;
    expect(seen(({ client: name }) => name === 'there')).toBe(seen(({ current }) => current));
    expect(seen(({ current }) => current) - seen(({ client: name }) => name === 'gone')).toBeGreaterThan(9 * 60_000);
  });

  it('lists sessions, revokes another one and closes its connection', async () => {
    const { person, client, session } = await server.join();
    const other = await server.connect();
    await other.hello({ session: (await person.signIn(other, null)) as never, client: 'the other' });
    const list = (await client.request(sessions, {})).sessions;
    expect(list).toHaveLength(2);
    expect(list.find(({ current }) => current)?.deviceId).toBe(person.device.public.deviceId);
    const target = list.find(({ current }) => !current);
    expect(target?.client).toBe('the other');

    const stranger = await server.join();
    await stranger.client.request(revokeSession, { sessionId: target?.sessionId as SessionId });
    expect((await client.request(sessions, {})).sessions, 'only one’s own').toHaveLength(2);
    await client.request(revokeSession, { sessionId: target?.sessionId as SessionId });
    expect(await other.closed).toBe(CloseCode.sessionRevoked);
    expect((await client.request(sessions, {})).sessions).toHaveLength(1);
    await client.request(revokeSession, { sessionId: randomUUID() as string as SessionId });
    expect(session).toHaveLength(43);
  });

  it('ends the session on sign-out, after the answer', async () => {
    const { client, session } = await server.join();
    expect(await client.request(signOut, {})).toEqual({});
    expect(await client.closed).toBe(CloseCode.sessionRevoked);
    await refusal('session_invalid', (await server.connect()).hello({ session: session as never }));
  });

  it('lets administrators invite, and nobody else', async () => {
    const { client: admin } = await server.join(new Person(), 'admin');
    const params = { count: 3, role: 'member', validHours: 24, idempotencyId: newId() } as const;
    const { invitations } = await admin.request(createInvitations, params);
    expect(new Set(invitations).size).toBe(3);
    await new Person().signUp(await server.connect(), invitations[0] ?? '');

    const again = await admin.request(createInvitations, params);
    expect(again.invitations, 'the used one is not made anew').toHaveLength(2);
    const visitor = await server.connect();
    await refusal('invitation_invalid', visitor.request(checkInvitation, { invitation: invitations[1] ?? '' }));
    await visitor.request(checkInvitation, { invitation: again.invitations[0] ?? '' });

    const { client: member } = await server.join();
    await refusal('forbidden', member.request(createInvitations, params));
  });

  it('keeps no token and no password in the store', async () => {
    const invitation = await server.invitation();
    const visitor = await server.connect();
    const person = new Person();
    const { session } = await person.signUp(visitor, invitation);
    const signedIn = await person.signIn(visitor, null);
    const tables = ['accounts', 'sessions', 'invitations', 'idempotency'] as const;
    const rows = await Promise.all(tables.map((table) => server.store.db.selectFrom(table).selectAll().execute()));
    const text = JSON.stringify(rows);
    expect(text).toContain(person.username);
    for (const secret of [invitation, session, signedIn, PASSWORD]) expect(text).not.toContain(secret);
  });
});

it('gives the first administrator one link, the same after a restart, until somebody has an account', async () => {
  const first = await startTestServer();
  const environment = { TEAHOUSE_DATA: first.dataDir };
  const token = first.invitationLink?.split('/#/join/')[1] ?? '';
  expect(token).toHaveLength(43);
  await first.close();

  const second = await startTestServer({}, environment);
  expect(second.invitationLink?.endsWith(token)).toBe(true);
  await second.close();

  const later = await startTestServer({ now: () => Date.now() + 8 * 24 * HOUR_MS }, environment);
  const fresh = later.invitationLink?.split('/#/join/')[1] ?? '';
  expect(fresh).not.toBe(token);
  const { account } = await new Person().signUp(await later.connect(), fresh);
  expect(account.role).toBe('admin');
  await later.close();

  const last = await startTestServer({}, environment);
  expect(last.invitationLink).toBeNull();
  await last.dispose();
});
