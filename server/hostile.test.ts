import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessions, signOut } from '../protocol/accounts.ts';
import { delivered } from '../protocol/chat.ts';
import { METHODS } from '../protocol/contract.ts';
import { ErrorCode, ProtocolError } from '../protocol/errors.ts';
import { refusal } from './testing/expect-code.ts';
import { Person, sendTo } from './testing/person.ts';
import { fieldsOf, rightFor, withValue, wrongFor } from './testing/schema-values.ts';
import type { SocketClient } from './testing/socket-client.ts';
import { startTestServer, type Member, type TestServer } from './testing/test-server.ts';

/*
 * What a hostile client may send: for every method of the contract a wrong value in every field. Each gets its coded
 * error, and another connection works on as if nothing had been.
 */

let server: TestServer;
let attacker: Member;
let bystander: SocketClient;

beforeAll(async () => {
  server = await startTestServer({}, { TEAHOUSE_MEDIA_WORKERS: '1' });
  attacker = await server.join(new Person('Mallory'), 'admin');
  bystander = (await server.join()).client;
});
afterAll(() => server.dispose());

async function bystanderWorks(): Promise<void> {
  expect((await bystander.request(sessions, {})).sessions).toHaveLength(1);
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
      const guest = await server.join(new Person(), 'admin');
      const property = fc.asyncProperty(rightFor(method.params), async (right) => {
        const error = await guest.client.raw(name, right).then(
          (result) => void method.result.parse(result),
          (reason: unknown) => reason,
        );
        if (error === undefined) return;
        expect(error).toBeInstanceOf(ProtocolError);
        const { code } = error as ProtocolError;
        expect(ErrorCode.options).toContain(code);
        expect(code).not.toBe('internal');
        expect(code).not.toBe('unknown_method');
      });
      await fc.assert(property, { numRuns: 12 });
      await guest.client.close();
      await bystanderWorks();
    },
  );
});

it('still delivers messages after all of that', async () => {
  const bob = await server.join();
  await sendTo(bystander, bob.person);
  await bob.client.next(delivered);
});
