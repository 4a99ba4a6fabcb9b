import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessions } from '../../../protocol/accounts.ts';
import { suspend } from '../../../protocol/administration.ts';
import { requestLink } from '../../../protocol/devices.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, newId, type Person } from '../../testing/person.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

/* A session may have several connections. What each may do was settled at its hello, so all must end with the session. */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

/** As a list does that names the device: the session becomes the device's. */
async function linkTo({ userId, device }: Person): Promise<void> {
  await server.store.db
    .updateTable('sessions')
    .set({ deviceId: device.public.deviceId })
    .where('userId', '=', userId)
    .where('deviceId', 'is', null)
    .execute();
}

it('every connection of a suspended person ends, also one that is not known to be of the device', async () => {
  const admin = await server.join(undefined, 'admin');
  const { person } = await server.join();
  const first = await server.connect();
  const session = await person.signIn(first, null);
  await first.hello({ session: session as never });
  await linkTo(person);
  // Another connection of the session is now the device's, and the first knows itself as nobody's still.
  const second = await server.connect(session);
  const ends = Promise.all([first.closed, second.closed]);
  await admin.client.request(suspend, { userId: person.userId });
  await ends;
});

it('a session that has a device asks for no other, whatever its connection knew', async () => {
  const { client, person } = await server.join();
  const old = await server.connect();
  const session = await person.signIn(old, null);
  await old.hello({ session: session as never });
  await linkTo(person);
  const device = newDevice().public;
  await refusal('forbidden', old.request(requestLink, { device, idempotencyId: newId() }));
  expect((await client.request(sessions, {})).sessions.length).toBeGreaterThan(0);
});
