import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessions, signOut } from '../../protocol/accounts.ts';
import { delivered, send } from '../../protocol/chat.ts';
import { METHODS } from '../../protocol/contract.ts';
import { takeBundles } from '../../protocol/devices.ts';
import { ErrorCode, ProtocolError } from '../../protocol/errors.ts';
import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';
import { createLog } from '../log.ts';
import { refusal } from '../testing/expect-code.ts';
import { Person, sendTo } from '../testing/person.ts';
import { rowsOf } from '../testing/rows-of.ts';
import {
  extremesFor,
  fieldsOf,
  rightFor,
  valueAt,
  withValue,
  wrongFor,
  type OthersIds,
} from '../testing/schema-values.ts';
import type { Method } from '../../protocol/method.ts';
import type { SocketClient } from '../testing/socket-client.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';

/*
 * What a hostile client may send: for every method of the contract a wrong value in every field, and every extreme one.
 * Each gets its answer or its coded error, another connection works on as if nothing had been, and of nobody else is
 * anything that is stored another than before. A method that is added to the contract is attacked by being in it.
 */

let server: TestServer;
let attacker: Member;
let bystander: SocketClient;
/** Whom a colleague attacks. */
let others: OthersIds;
/** Whom an administrator may lawfully suspend or remove. */
let subjects: OthersIds;
/** What the server itself says went wrong. */
const faults: string[] = [];

beforeAll(async () => {
  const log = createLog('error', { write: (line) => void faults.push(line) });
  server = await startTestServer({ log }, { TEAHOUSE_MEDIA_WORKERS: '1' });
  attacker = await server.join(new Person('Mallory'), 'admin');
  const { client, person } = await server.join();
  bystander = client;
  others = idsOf(person);
  subjects = idsOf((await server.join()).person);
});
afterAll(() => server.dispose());

function idsOf({ userId, device }: Person): OthersIds {
  return { userId, deviceId: device.public.deviceId };
}

async function bystanderWorks(): Promise<void> {
  expect((await bystander.request(sessions, {})).sessions).toHaveLength(1);
}

/** The tables that a method is there to change for others: messages for them, and one-time prekeys to be taken. */
const LAWFUL: Readonly<Record<string, readonly string[]>> = {
  [send.name]: ['queue', 'queue_use'],
  [takeBundles.name]: ['prekeys'],
};

/** What is stored of the one whom members attack. */
async function stored({ name }: Method): Promise<unknown> {
  const rows = Object.entries(await rowsOf(server.store.db, others.userId));
  return Object.fromEntries(rows.filter(([table]) => !LAWFUL[name]?.includes(table)));
}

/** `params` with the ids of the one who is attacked in every field that takes them. */
function aimed({ params: schema }: Method, params: unknown): unknown {
  let right = params;
  for (const { path, schema: field } of fieldsOf(schema)) {
    const name = path.findLast((step) => typeof step === 'string');
    const id = name === 'deviceId' ? others.deviceId : name === 'idempotencyId' ? undefined : others.userId;
    if (id !== undefined && valueAt(right, path) !== undefined && field.safeParse(id).success)
      right = withValue(right, path, id);
  }
  return right;
}

describe.each(METHODS.map((method) => [method.name, method] as const))('%s', (name, method) => {
  const fields = fieldsOf(method.params);

  it.skipIf(fields.length === 0)('refuses a wrong value in any field, and says which field', async () => {
    for (const { path, schema } of fields) {
      await fc.assert(
        fc.asyncProperty(rightFor(method.params), wrongFor(schema), async (right, wrong) => {
          const { details } = await refusal(
            'invalid_request',
            attacker.client.raw(name, withValue(right, path, wrong)),
          );
          const place = path.join('.');
          expect(details.issues.some((issue) => issue.path === place || issue.path.startsWith(`${place}.`))).toBe(true);
        }),
        { numRuns: 8 },
      );
    }
    await bystanderWorks();
  });

  it('refuses a field that there is not, and params that are no object', async () => {
    const property = fc.asyncProperty(rightFor(method.params), async (right) => {
      await refusal('invalid_request', attacker.client.raw(name, { ...(right as object), surplus: 1 }));
    });
    await fc.assert(property, { numRuns: 5 });
    for (const params of [null, 1, 'x', [], undefined])
      await refusal('invalid_request', attacker.client.raw(name, params));
    await bystanderWorks();
  });

  it.skipIf(name === signOut.name)(
    'answers whatever is well-formed with a result or a code, and never fails inside',
    async () => {
      const mallory = await server.join(new Person(), 'admin');
      const property = fc.asyncProperty(rightFor(method.params), async (right) => {
        await answered(mallory.client, method, right);
      });
      await fc.assert(property, { numRuns: 12 });
      await mallory.client.close();
      await bystanderWorks();
    },
  );

  it.skipIf(fields.length === 0)('answers every extreme of every field with a result or a code', async () => {
    const [right] = fc.sample(rightFor(method.params), 1);
    const before = await stored(method);
    for (const [role, ids] of [['member', others] as const, ['admin', subjects] as const]) {
      const mallory = await server.join(new Person(), role);
      for (const { path, schema } of fields) {
        const there =
          valueAt(right, path) ??
          fc.sample(rightFor(schema), 20).find((value) => value !== null && value !== undefined);
        for (const extreme of extremesFor(schema, there, ids)) {
          const params = withValue(right, path, extreme);
          if (Buffer.byteLength(JSON.stringify(params)) < MAX_FRAME_BYTES - 200)
            await answered(mallory.client, method, params);
        }
        expect(await stored(method), `${role}, ${path.join('.')}`).toEqual(before);
      }
      await mallory.client.close();
    }
    await bystanderWorks();
    expect(faults).toEqual([]);
  });

  it.skipIf(fields.length === 0)('changes nothing that is stored of somebody else, whatever it answers', async () => {
    const mallory = await server.join();
    const before = await stored(method);
    for (const right of fc.sample(rightFor(method.params), 20)) {
      await answered(mallory.client, method, aimed(method, right));
      expect(await stored(method), JSON.stringify(right)).toEqual(before);
    }
    await mallory.client.close();
  });

  it('takes the same request again and again', async () => {
    const mallory = await server.join(new Person(), 'admin');
    const [right] = fc.sample(rightFor(method.params), 1);
    const times = name === signOut.name ? 1 : 20;
    const answers = await Promise.all(Array.from({ length: times }, () => answered(mallory.client, method, right)));
    expect(answers).toHaveLength(times);
    mallory.client.socket.terminate();
    await bystanderWorks();
  });

  it('pollutes no prototype', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const text = `{"id":1000000,"method":${JSON.stringify(name)},"params":{"${key}":{"polluted":true}}}`;
      const known = attacker.client.stray.length;
      attacker.client.socket.send(text);
      await expect.poll(() => attacker.client.stray.length, { timeout: 15_000 }).toBe(known + 1);
      expect((attacker.client.stray.at(-1) as { error?: { code: string } }).error?.code).toBe('invalid_request');
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

/** Resolves when the request got a result that is one, or a code; nothing that would be a fault of the server. */
async function answered(client: SocketClient, method: Method, params: unknown): Promise<void> {
  const error = await client.raw(method.name, params).then(
    (result) => void method.result.parse(result),
    (reason: unknown) => reason,
  );
  if (error === undefined) return;
  expect(error).toBeInstanceOf(ProtocolError);
  expect(ErrorCode.options).toContain((error as ProtocolError).code);
  expect(['internal', 'unknown_method', 'answer_too_large']).not.toContain((error as ProtocolError).code);
}

it('still delivers messages after all of that', async () => {
  const bob = await server.join();
  await sendTo(bystander, bob.person);
  await bob.client.next(delivered);
});
