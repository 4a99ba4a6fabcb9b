import { afterAll, beforeAll, expect, it } from 'vitest';
import { linkRequests, MAX_CLOCK_SKEW_MS, publishList, requestLink } from '../../../protocol/devices.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId } from '../../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

async function passwordSession(member: Member) {
  const client = await server.connect();
  await client.hello({ session: (await member.person.signIn(client, null)) as never });
  return client;
}

it('a request to be linked does not change under its device id, whoever knows the password', async () => {
  const member = await server.join();
  const [mine, thief] = [await passwordSession(member), await passwordSession(member)];
  const { public: device } = newDevice();
  await mine.request(requestLink, { device, idempotencyId: newId() });
  const swapped = { ...newDevice().public, deviceId: device.deviceId };
  for (const client of [thief, mine]) {
    const asked = client.request(requestLink, { device: swapped, idempotencyId: newId() });
    await refusal('device_list_invalid', asked);
  }
  const { requests } = await member.client.request(linkRequests, {});
  expect(requests.map(({ identityKey }) => identityKey)).toEqual([device.identityKey]);
  // The same once more only lasts longer, and another device takes its place.
  await mine.request(requestLink, { device, idempotencyId: newId() });
  const { public: another } = newDevice();
  await mine.request(requestLink, { device: another, idempotencyId: newId() });
  const later = await member.client.request(linkRequests, {});
  expect(later.requests.map(({ identityKey }) => identityKey)).toEqual([another.identityKey]);
});

it('a device cannot be given a name that shows other than it reads', async () => {
  const member = await server.join();
  const client = await passwordSession(member);
  for (const name of ['a\u202eb', 'a\nb', '\u0000', 'a\u2066b']) {
    const device = { ...newDevice().public, name };
    await refusal('invalid_request', client.request(requestLink, { device, idempotencyId: newId() }));
  }
});

it('a list that is dated days ahead is refused with words for its owner, since nobody else would take it', async () => {
  const { person, client } = await server.join();
  const dated = (issuedAt: number) => person.list(2, [person.device.public], { issuedAt });
  const publish = (list: ReturnType<typeof dated>) => client.request(publishList, { list, idempotencyId: newId() });
  await refusal('clock_wrong', publish(dated(Date.now() + MAX_CLOCK_SKEW_MS + 60_000)));
  await publish(dated(Date.now() + MAX_CLOCK_SKEW_MS - 60_000));
});
