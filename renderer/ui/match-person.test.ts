import { expect, test } from 'vitest';
import { matchesPerson } from './match-person.ts';

const zoe = { username: 'zgarcia', displayName: 'Zoë García-Márquez' };

test.each(['', 'zoe', 'ZOË', 'garcia', 'marq', 'zoe mar', 'zgar', '  zoe  '])('"%s" finds her', (text) =>
  expect(matchesPerson(zoe, text)).toBe(true),
);
test.each(['oe', 'zoe ben', 'arquez'])('"%s" does not', (text) => expect(matchesPerson(zoe, text)).toBe(false));
