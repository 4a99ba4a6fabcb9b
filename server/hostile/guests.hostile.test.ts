import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessions, signOut } from '../../protocol/accounts.ts';
import { changed } from '../../protocol/contacts.ts';
import { METHODS } from '../../protocol/contract.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import fc from 'fast-check';
import { Person, sendTo } from '../testing/person.ts';
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
  await sendTo(member.client, guest.person);
  // Asked after all of that, on the same line.
  expect((await guest.client.request(sessions, {})).sessions).toHaveLength(1);
  expect(guest.client.events).toEqual([]);
});

it('a guest signs in, sees their sessions and signs out', async () => {
  const client = await server.connect();
  const { challenge } = await client.hello();
  const session = await guest.person.signIn(client, challenge);
  await client.hello({ session: session as never });
  expect((await client.request(sessions, {})).sessions.length).toBeGreaterThan(0);
  expect(await client.request(signOut, {})).toEqual({});
});
