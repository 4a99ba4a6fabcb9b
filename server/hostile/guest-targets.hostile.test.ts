import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessions } from '../../protocol/accounts.ts';
import { invite, start } from '../../protocol/calls.ts';
import { send } from '../../protocol/chat.ts';
import { get, search as find } from '../../protocol/contacts.ts';
import { METHODS } from '../../protocol/contract.ts';
import { lists, takeBundles } from '../../protocol/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { CallId } from '../../protocol/ids.ts';
import type { Method } from '../../protocol/method.ts';
import { newId, Person } from '../testing/person.ts';
import { fieldsOf, rightFor, valueAt, withValue } from '../testing/schema-values.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';

/*
 * What a colleague with a client of their own may do to a guest: nothing that could not be done to somebody who does not
 * exist. Every method of the contract is aimed at a guest, and at nobody, and must end the same way. A method that is
 * added is attacked by being in the contract.
 */

/** Whom a request is aimed at, and with what the attacker has themselves. */
interface Aim {
  readonly userId: string;
  readonly deviceId: number;
  readonly username: string;
  readonly callId: string;
  readonly search: { readonly text: string; readonly after?: string };
}

let server: TestServer;
let guest: Member;
let bystander: Member;
beforeAll(async () => {
  server = await startTestServer({}, { TEAHOUSE_MEDIA_WORKERS: '1' });
  bystander = await server.join();
  guest = await server.join(new Person(), 'guest');
});
afterAll(() => server.dispose());

/** `params` with one element in each list, and the aim in every field that takes it. */
function aimed(method: Method, params: unknown, aim: Aim): unknown {
  let right = params;
  for (const { path } of fieldsOf(method.params)) {
    const list = valueAt(right, path);
    if (Array.isArray(list)) right = withValue(right, path, list.slice(0, 1));
  }
  for (const { path, schema } of fieldsOf(method.params)) {
    if (valueAt(right, path) === undefined && path.at(-1) !== 'after') continue;
    const name = path.findLast((step) => typeof step === 'string');
    const fitting = leafFor(name ?? '', aim);
    if (schema.safeParse(fitting).success) right = withValue(right, path, fitting);
  }
  return right;
}

/** By the field's name; an id of a person wherever the schema takes one. */
function leafFor(name: string, { userId, deviceId, username, callId, search: { text, after } }: Aim): unknown {
  switch (name) {
    case 'idempotencyId':
      return newId();
    case 'callId':
      return callId;
    case 'deviceId':
      return deviceId;
    case 'listVersion':
      return 1;
    case 'limit':
      return 200;
    case 'username':
      return username;
    case 'text':
      return text;
    case 'after':
      return after;
    default:
      return userId;
  }
}

/** A code, or what a result is made of, without the values that differ each time. */
async function outcome(client: Member['client'], method: Method, params: unknown): Promise<string> {
  const told = await client.raw(method.name, params).then(
    (result) => ({ result }),
    (reason: unknown) => {
      if (!(reason instanceof ProtocolError)) throw reason;
      return { code: reason.code, details: reason.details as unknown };
    },
  );
  const text = JSON.stringify(told);
  const { username, displayName } = guest.person;
  for (const own of [username, displayName, ...secretsOf(guest)]) expect(text).not.toContain(own);
  return JSON.stringify(told, (key, value: unknown) =>
    key !== 'code' && (typeof value === 'string' || typeof value === 'number') ? typeof value : value,
  );
}

function secretsOf({ person }: Member): string[] {
  const { identityKey, authenticationKey, signedPrekey, prekeys } = person.device.public;
  return [identityKey, authenticationKey, signedPrekey.publicKey, ...prekeys.map(({ publicKey }) => publicKey)];
}

/** Everything that the database keeps of the guest. */
async function kept(): Promise<unknown> {
  const tables = ['accounts', 'devices', 'deviceLists', 'prekeys', 'queue', 'sessions', 'linkRequests'] as const;
  const rows = tables.map((table) =>
    server.store.db.selectFrom(table).selectAll().where('userId', '=', guest.person.userId).execute(),
  );
  return (await Promise.all(rows)).map((some) => some.map((row) => JSON.stringify(row)).toSorted());
}

/** A call that the attacker is in, so that the methods of a call have one. */
async function ownCall({ client }: Member): Promise<string> {
  const callId = newId() as string as CallId;
  const invited = [bystander.person.userId];
  await client.request(start, { callId, invite: invited, media: 'voice', idempotencyId: newId() });
  return callId;
}

/** How the method ends when it is aimed at `target`, and at nobody. */
async function compare(method: Method, target: Person): Promise<[string, string][]> {
  const attacker = await server.join();
  const { deviceId } = target.device.public;
  const own = method.name === start.name ? null : await ownCall(attacker);
  const ends: [string, string][] = [];
  for (const [index, params] of fc.sample(rightFor(method.params), 8).entries()) {
    const told: string[] = [];
    for (const { userId, username } of [target, { userId: newId(), username: new Person().username }]) {
      // By name, and as a place in the list of everybody.
      const search = index % 2 === 0 ? { text: username } : { text: '', after: userId };
      const aim = { userId, deviceId, username, callId: own ?? newId(), search };
      told.push(await outcome(attacker.client, method, aimed(method, params, aim)));
    }
    ends.push([told[0] ?? '', told[1] ?? '']);
  }
  await attacker.client.close();
  return ends;
}

describe.each(METHODS.map((method) => [method.name, method] as const))('%s', (_, method) => {
  it.skipIf(fieldsOf(method.params).length === 0)('does no more with a guest than with nobody', async () => {
    const before = await kept();
    for (const [guests, nobodys] of await compare(method, guest.person)) expect(guests).toBe(nobodys);
    expect(await kept()).toEqual(before);
    expect((await guest.client.request(sessions, {})).sessions).toHaveLength(1);
    expect(guest.client.events).toEqual([]);
  });
});

/** So that the above cannot pass by aiming at nothing. */
it.each([find, get, lists, takeBundles, send, start, invite].map((method) => [method.name, method] as const))(
  '%s finds a member',
  async (_, method) => {
    const { person } = await server.join();
    const ends = await compare(method as Method, person);
    expect(ends.some(([members, nobodys]) => members !== nobodys)).toBe(true);
  },
);
