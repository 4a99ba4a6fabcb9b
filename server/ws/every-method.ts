import { METHODS } from '../../protocol/contract.ts';
import { hello } from '../../protocol/hello.ts';
import type { Method } from '../../protocol/method.ts';
import type { RegisteredMethod } from './method.ts';

const CALLS = 'calls.';

/**
 * Throws where what is registered differs from the contract: what the contract does not have, no test of all methods
 * attacks, and what nobody registers, clients ask for in vain. `calls`: whether there are calls on this server.
 */
export function requireEveryMethod(registered: readonly RegisteredMethod[], calls: boolean): void {
  const known: ReadonlySet<Method> = new Set(METHODS);
  const answered = new Set(registered.map(({ method }) => method));
  const strange = [...answered].filter((method) => !known.has(method));
  // Hello is answered by the dispatcher itself.
  const expected = METHODS.filter((method) => method !== hello && (calls || !method.name.startsWith(CALLS)));
  const missing = expected.filter((method) => !answered.has(method));
  const names = [...strange, ...missing].map(({ name }) => name);
  if (names.length > 0) throw new Error(`methods are registered or in the contract, but not both: ${names.join(', ')}`);
}
