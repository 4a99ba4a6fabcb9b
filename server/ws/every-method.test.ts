import { expect, it } from 'vitest';
import { z } from 'zod';
import { METHODS } from '../../protocol/contract.ts';
import { hello } from '../../protocol/hello.ts';
import { query, type Method } from '../../protocol/method.ts';
import { requireEveryMethod } from './every-method.ts';
import type { RegisteredMethod } from './method.ts';

const all = METHODS.filter((method) => method !== hello).map((method) => answering(method));

function answering(method: Method): RegisteredMethod {
  const limit = { requests: 1, seconds: 1, by: 'address' } as const;
  return { method, permission: 'anyone', limit, handle: async () => ({}) };
}
const check =
  (methods: readonly RegisteredMethod[], calls = true) =>
  () =>
    requireEveryMethod(methods, calls);

it('takes the methods of the contract, without those of calls where there are none', () => {
  expect(check(all)).not.toThrow();
  const rest = all.filter(({ method }) => !method.name.startsWith('calls.'));
  expect(check(rest, false)).not.toThrow();
  expect(check(rest)).toThrow('calls.start');
});

it('refuses a method that is missing in the contract, under whichever name', () => {
  for (const name of ['contacts.hidden', 'contacts.get']) {
    const hidden = query(name, {}, z.object({}));
    expect(check([...all, answering(hidden)])).toThrow(name);
  }
});

it('refuses to do without a method of the contract', () => {
  for (const { method } of all) expect(check(all.filter((other) => other.method !== method))).toThrow(method.name);
});
