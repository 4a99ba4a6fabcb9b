import { afterAll, beforeAll, expect, it } from 'vitest';
import { signUp } from '../../../protocol/accounts.ts';
import { changed, get, publishProfile, search } from '../../../protocol/contacts.ts';
import { MAX_FRAME_BYTES } from '../../../protocol/frames.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { LATEST_TIME } from '../../../protocol/ids.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newDevice, Person, signature } from '../../testing/person.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

onEachDatabase((newDatabase) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
  });
  afterAll(() => server.dispose());

  it('a profile is published, told, and comes with the person ever after', async () => {
    const [{ person, client }, other] = [await server.join(), await server.join()];
    const users = [person.userId];
    expect((await other.client.request(get, { users })).people[0]).not.toHaveProperty('profile');
    await client.request(publishProfile, { profile: person.profile(1) });
    const event = await other.client.next(changed);
    expect(event.person).toMatchObject({ userId: person.userId, profile: person.profile(1) });
    expect((await other.client.request(get, { users })).people[0]?.profile).toEqual(person.profile(1));
    const found = await other.client.request(search, { text: person.username, limit: 10 });
    expect(found.people[0]?.profile).toEqual(person.profile(1));
    await client.request(publishProfile, { profile: person.profile(1) });
    await client.request(publishProfile, { profile: person.profile(5) });
    await refusal('profile_outdated', client.request(publishProfile, { profile: person.profile(4) }));
    await refusal('profile_outdated', client.request(publishProfile, { profile: person.profile(5, { issuedAt: 2 }) }));
  });

  it('another’s profile, a forged one and one with other names are refused', async () => {
    const [{ person, client }, other] = [await server.join(), await server.join()];
    const right = person.profile(1);
    const wrong = [
      other.person.profile(1),
      other.person.profile(1, { userId: person.userId }),
      { ...right, signature: signature(newDevice().authentication, right.payload) },
      { ...right, payload: right.payload.replace('Ada', 'Eva') },
      person.profile(1, { displayName: 'Somebody Else' }),
      person.profile(1, { username: other.person.username }),
      person.profile(1, { userId: other.person.userId }),
      person.profile(0),
      person.profile(2 ** 31),
      person.profile(1, { issuedAt: -1 }),
      person.profile(1, { padding: '"'.repeat(200) } as object),
    ];
    for (const profile of wrong) await refusal('profile_invalid', client.request(publishProfile, { profile }));
    await refusal(
      'invalid_request',
      client.request(publishProfile, { profile: { ...right, payload: 'x'.repeat(701) } }),
    );
  });

  it('signing up takes only a profile of the very account', async () => {
    const visitor = await server.connect();
    const person = new Person();
    const params = person.signUpParams(await server.invitation());
    for (const profile of [new Person().profile(1), person.profile(1, { displayName: 'Boss' })]) {
      await refusal('profile_invalid', visitor.request(signUp, { ...params, profile }));
    }
    await visitor.request(signUp, { ...params, profile: person.profile(1) });
  });

  it('200 people with the longest names fit into a frame', async () => {
    const name = '\u{6f22}'.repeat(64);
    const person = new Person(name, `u${'9'.repeat(31)}`);
    const { client } = await server.join(person);
    await client.request(publishProfile, {
      profile: person.profile(0x7fffffff, { issuedAt: LATEST_TIME }),
    });
    const { people } = await client.request(get, { users: [person.userId] });
    expect(Buffer.byteLength(JSON.stringify(people)) * 200).toBeLessThan(MAX_FRAME_BYTES);
  });
});
