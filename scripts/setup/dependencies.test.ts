import { expect, test } from 'vitest';
import { matchesLock } from './dependencies.mjs';

const wanted = {
  '': { version: '1.0.0' },
  'node_modules/a': { version: '1.2.3' },
  'node_modules/only-on-windows': { version: '2.0.0', optional: true },
};

test('what the lock file names is there', () => {
  expect(matchesLock(wanted, { 'node_modules/a': { version: '1.2.3' } })).toBe(true);
});

test('a package is missing or has another version', () => {
  expect(matchesLock(wanted, {})).toBe(false);
  expect(matchesLock(wanted, { 'node_modules/a': { version: '1.2.4' } })).toBe(false);
});

test('an optional package may be missing, but if it is there it must be the one', () => {
  const installed = { 'node_modules/a': { version: '1.2.3' }, 'node_modules/only-on-windows': { version: '1.0.0' } };
  expect(matchesLock(wanted, installed)).toBe(false);
});
