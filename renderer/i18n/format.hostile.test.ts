import { describe, expect, test } from 'vitest';
import { en } from './en.ts';
import { createFormat, daysBetween, isoTime } from './format.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  MAX,
  -MAX,
  8.64e15,
  8.64e15 + 2,
  -8.64e15 - 2,
  2 ** 31,
  1e300,
  Infinity,
  -Infinity,
  NaN,
];

describe('times that no calendar has', () => {
  test.each(['en', 'de', 'ar', 'fa'])('are formatted without an error in %s', (locale) => {
    const format = createFormat(locale, en);
    for (const at of NUMBERS) {
      for (const text of [format.time(at), format.dateTime(at), format.duration(at)]) expect(text).toMatch(/./u);
      expect(() => isoTime(at)).not.toThrow();
      for (const now of NUMBERS) {
        expect(() => daysBetween(at, now)).not.toThrow();
        for (const text of [format.day(at, now), format.stamp(at, now), format.relative(at, now)]) {
          expect(text).toMatch(/./u);
        }
      }
    }
  });
});
