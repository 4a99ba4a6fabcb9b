import { afterAll, beforeAll, expect, it } from 'vitest';
import { get, search } from '../../../protocol/contacts.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newId, Person } from '../../testing/person.ts';
import type { SocketClient } from '../../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

const PEOPLE = [
  ['Zoë Ångström', 'zoe'],
  ['Ada Lovelace', 'ada.l'],
  ['Łukasz Weiß', 'lukasz_w'],
  ['Ольга Петрова', 'olga'],
  ['山田 太郎', 'yamada'],
  ['Ana de la Cruz', 'ana-dlc'],
] as const;

onEachDatabase((newDatabase) => {
  let server: TestServer;
  let client: SocketClient;

  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
    for (const [displayName, username] of PEOPLE) {
      ({ client } = await server.join(new Person(displayName, username)));
    }
  });
  afterAll(() => server.dispose());

  const find = async (text: string) => {
    const { people } = await client.request(search, { text, limit: 50 });
    return people.map(({ username }) => username);
  };

  it.each([
    ['zoe', ['zoe']],
    ['ZOË', ['zoe']],
    ['ang', ['zoe']],
    ['love', ['ada.l']],
    ['ovelace', []],
    ['ada.l', ['ada.l']],
    ['lukasz w', ['lukasz_w']],
    ['weiss', ['lukasz_w']],
    ['петр', ['olga']],
    ['太', ['yamada']],
    ['a', ['ada.l', 'ana-dlc', 'zoe']],
    ['cruz an', ['ana-dlc']],
    ['cruz ada', []],
    ['  zoe  ', ['zoe']],
    ['%', ['ada.l', 'ana-dlc', 'lukasz_w', 'olga', 'yamada', 'zoe']],
  ])('finds by the beginning of any word: %s', async (text, usernames) => {
    expect((await find(text)).toSorted()).toEqual(usernames);
  });

  it('goes through everybody in pages, each person once and in order', async () => {
    const names: string[] = [];
    let after: UserId | undefined;
    for (let more = true; more;) {
      const page = await client.request(search, { text: '', limit: 2, ...(after === undefined ? {} : { after }) });
      names.push(...page.people.map(({ displayName }) => displayName));
      after = page.people.at(-1)?.userId;
      more = page.more;
    }
    expect(names).toEqual([
      'Ada Lovelace',
      'Ana de la Cruz',
      'Łukasz Weiß',
      'Zoë Ångström',
      'Ольга Петрова',
      '山田 太郎',
    ]);
  });

  it('gets people by id and leaves unknown ones out', async () => {
    const { people } = await client.request(search, { text: 'zoe', limit: 1 });
    const users = [...people.map(({ userId }) => userId), newId() as string as UserId];
    expect(await client.request(get, { users })).toEqual({ people });
  });

  it('is for people with an account', async () => {
    const visitor = await server.connect();
    await refusal('not_signed_in', visitor.request(search, { text: '', limit: 1 }));
  });
});
