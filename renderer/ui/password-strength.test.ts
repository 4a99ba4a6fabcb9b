import { expect, test } from 'vitest';
import { strengthOf } from './password-strength.ts';

test.each([
  ['', 'short'],
  ['Tr0ub4d&3', 'short'],
  ['aaaaaaaaaaaaaaaaaaaaaaaa', 'fair'],
  ['quiet tea1', 'fair'],
  ['a quiet cup tea', 'good'],
  ['a quiet cup of green tea', 'strong'],
] as const)('"%s" is %s', (password, expected) => expect(strengthOf(password)).toBe(expected));
