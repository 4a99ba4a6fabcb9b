import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signOut } from '../../protocol/accounts.ts';
import { METHODS } from '../../protocol/contract.ts';
import { Person } from '../testing/person.ts';
import { fieldsOf, rightFor, valueAt, withValue } from '../testing/schema-values.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { frameCost } from '../ws/frame-cost.ts';
import type { Method } from '../../protocol/method.ts';

/*
 * How long one request keeps everybody else waiting, for every method of the contract: with lists and texts as long as its
 * frame may be, taken and refused. A method that is added is measured by being in the contract.
 */

/** Of the fastest of several tries, so that a busy machine is none of the method's fault. Milliseconds. */
const LONGEST_MS = 60;
const TRIES = 6;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { TEAHOUSE_MEDIA_WORKERS: '1' });
});
afterAll(() => server.dispose());

it.each(METHODS.filter(({ name }) => name !== signOut.name).map((method) => [method.name, method] as const))(
  '%s gives the event loop back soon, whatever it is asked',
  { timeout: 60_000 },
  async (name, method) => {
    const mallory = await server.join(new Person(), 'admin');
    const [right] = fc.sample(rightFor(method.params), 1);
    for (const [what, make] of requests(method, right)) {
      // Of its own each time: after too many mistakes a connection is closed.
      const client = await server.connect(mallory.session);
      const times: number[] = [];
      for (let i = 0; i < TRIES && Math.min(...times) > LONGEST_MS / 2; i++) {
        const params = make();
        const answered = () => client.raw(name, params).catch(() => undefined);
        times.push(await longestGap(() => Promise.race([answered(), client.closed])));
      }
      client.socket.terminate();
      expect(Math.min(...times), `milliseconds: ${what}`).toBeLessThan(LONGEST_MS);
    }
    await mallory.client.close();
  },
);

/** What is taken, and each list and text as long as the frame of the method may be. */
function* requests(method: Method, right: unknown): Generator<[what: string, make: () => unknown]> {
  const fresh = () => fc.sample(rightFor(method.params), 1)[0];
  yield ['as it should be', fresh];
  const bytes = frameCost(method).bytes - 600;
  for (const { path } of fieldsOf(method.params)) {
    const there = valueAt(right, path);
    const longest = largest(there, bytes - JSON.stringify(right).length);
    if (longest !== undefined) yield [path.join('.'), () => withValue(fresh(), path, longest)];
  }
}

function largest(there: unknown, bytes: number): unknown {
  // Combining marks out of order: what is slowest to normalise.
  if (typeof there === 'string') return '\u0316\u0301'.repeat(Math.max(0, Math.floor(bytes / 4)));
  if (!Array.isArray(there)) return undefined;
  const each = JSON.stringify(there[0]).length + 1;
  return Array.from({ length: Math.max(0, Math.floor(bytes / each)) }, () => there[0] as unknown);
}

/** The longest time for which the event loop did not come round while this was under way. Milliseconds. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let [last, longest, done] = [performance.now(), 0, false];
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!done) setImmediate(look);
  };
  setImmediate(look);
  await work();
  done = true;
  return Math.max(longest, performance.now() - last);
}
