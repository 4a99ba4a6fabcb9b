import { afterAll, beforeAll, expect, it } from 'vitest';
import { METHODS } from '../../../protocol/contract.ts';
import { lists, requestLink } from '../../../protocol/devices.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId } from '../../testing/person.ts';
import type { SocketClient } from '../../testing/socket-client.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';

/** What needs no session at all, so that a password adds nothing to it. */
const FOR_ANYONE = [
  'hello',
  'ping',
  'accounts.checkInvitation',
  'accounts.checkReset',
  'accounts.completeReset',
  'accounts.signUp',
  'accounts.signIn',
];
/** What being linked needs. A method that is added is refused until it is named here with a reason. */
const FOR_LINKING = [
  // The way out.
  'accounts.signOut',
  // The own list alone: its account key goes into the code that is compared.
  'devices.lists',
  'devices.requestLink',
];

let server: TestServer;
let member: Member;
let other: Member;
let client: SocketClient;

beforeAll(async () => {
  // With calls, so that their methods are there.
  server = await startTestServer({}, { TEAHOUSE_MEDIA_WORKERS: '1' });
  member = await server.join();
  other = await server.join();
  client = await server.connect();
  await client.hello({ session: (await member.person.signIn(client, null)) as never });
});
afterAll(() => server.dispose());

it.each(METHODS.map(({ name }) => name).filter((name) => ![...FOR_ANYONE, ...FOR_LINKING].includes(name)))(
  'a session by password alone is refused %s',
  async (name) => {
    await refusal('device_required', client.raw(name, {}));
  },
);

it('may ask to be linked, and see the own list of devices but nobody else’s', async () => {
  const { userId } = member.person;
  expect(await client.request(lists, { users: [userId] })).toEqual({ lists: [member.person.list(1)] });
  await refusal('device_required', client.request(lists, { users: [other.person.userId] }));
  await refusal('device_required', client.request(lists, { users: [userId, newId() as string as UserId] }));
  expect(await client.request(requestLink, { device: newDevice().public, idempotencyId: newId() })).toEqual({});
});

it('hears nothing of what goes on', async () => {
  await server.join();
  await member.client.request(lists, { users: [other.person.userId] });
  expect(client.events).toEqual([]);
});
