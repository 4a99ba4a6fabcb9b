import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hueOf, initialsOf } from './hue.ts';

test('a hue is stable and on the circle', () => {
  fc.assert(
    fc.property(fc.string(), (id) => {
      expect(hueOf(id)).toBe(hueOf(id));
      expect(hueOf(id)).toBeGreaterThanOrEqual(0);
      expect(hueOf(id)).toBeLessThan(360);
    }),
  );
});

test('ids that differ little differ in hue', () => {
  const hues = Array.from({ length: 36 }, (_, index) => hueOf(`11111111-1111-4111-8111-1111111111${10 + index}`));
  expect(new Set(hues).size).toBeGreaterThan(28);
});

describe('initials', () => {
  test.each([
    ['Ada Byron', 'AB'],
    ['ada', 'A'],
    ['  Ada   King  Byron ', 'AB'],
    ['Åsa Öberg', 'ÅÖ'],
    ['"Ada" (Byron)', 'AB'],
    ['🍵 Tea', '🍵T'],
    ['小林 さくら', '小さ'],
    ['', ''],
    ['—', ''],
  ])('of "%s" are "%s"', (name, expected) => expect(initialsOf(name)).toBe(expected));
});
