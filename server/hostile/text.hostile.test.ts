import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { get, search } from '../../protocol/contacts.ts';
import { signUp } from '../../protocol/accounts.ts';
import { requestLink } from '../../protocol/devices.ts';
import { onEachDatabase } from '../testing/databases.ts';
import { refusal } from '../testing/expect-code.ts';
import { newDevice, newId, PASSWORD, Person } from '../testing/person.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';

/* Text and ids that a database keeps as something else, or not at all: on SQLite and PostgreSQL the same refusal. */

const BAD_TEXTS = ['a\u0000b', '\ud800', 'a\udc00b', 'line\nline', '\u001b[31m', '\u202egnp.exe', 'x\u2028y'];

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let ada: Member;
  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
    ada = await server.join();
  });
  afterAll(() => server.dispose());

  it('refuses text of control characters, halves of pairs and overrides of direction', async () => {
    for (const text of BAD_TEXTS) {
      await refusal('invalid_request', ada.client.raw(search.name, { text, limit: 1 }));
      const stranger = await server.connect();
      await refusal('invalid_request', stranger.hello({ client: text }));
      await stranger.hello();
      const session = await ada.person.signIn(stranger, null);
      await stranger.hello({ session: session as never });
      const device = { ...newDevice().public, name: text };
      await refusal('invalid_request', stranger.raw(requestLink.name, { device, idempotencyId: newId() }));
      await stranger.close();
    }
  });

  it('refuses a device list whose text would come back changed', async () => {
    const person = new Person();
    const params = person.signUpParams(await server.invitation());
    const deviceList = { ...params.deviceList, payload: `${params.deviceList.payload.slice(0, -1)},"x":"\ud800"}` };
    const stranger = await server.connect();
    await refusal('invalid_request', stranger.raw(signUp.name, { ...params, deviceList }));
  });

  it('searches for any other text', async () => {
    for (const text of ['', '%', "'; drop table accounts; --", '\u{1f600}', 'ﬀ', '\u0301', '\\', '_'])
      await ada.client.request(search, { text, limit: 200 });
    expect((await ada.client.request(search, { text: 'ada', limit: 5 })).people).toHaveLength(1);
  });

  it('takes an id in one spelling', async () => {
    const id = ada.person.userId;
    expect((await ada.client.request(get, { users: [id] })).people).toHaveLength(1);
    for (const wrong of [id.toUpperCase(), `{${id}}`, `urn:uuid:${id}`, id.replaceAll('-', ''), ` ${id}`])
      await refusal('invalid_request', ada.client.raw(get.name, { users: [wrong] }));
    expect((await ada.client.raw(get.name, { users: [randomUUID()] })) as object).toEqual({ people: [] });
  });

  it('takes any password, whatever its characters', async () => {
    const stranger = await server.connect();
    for (const password of [`${PASSWORD}\u0000`, `${PASSWORD}\ud800`])
      await refusal(
        'credentials_invalid',
        stranger.raw('accounts.signIn', {
          username: ada.person.username,
          password,
          idempotencyId: newId(),
        }),
      );
  });
});
