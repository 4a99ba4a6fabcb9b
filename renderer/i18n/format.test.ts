import { describe, expect, test } from 'vitest';
import { en } from './en.ts';
import { createFormat, daysBetween } from './format.ts';

const at = (year: number, month: number, day: number, hour = 12, minute = 0) =>
  new Date(year, month - 1, day, hour, minute).getTime();
const now = at(2026, 3, 12, 9);
const format = createFormat('en-GB', en);

test('days are those of the calendar, not spans of 24 hours', () => {
  expect(daysBetween(at(2026, 3, 11, 23, 59), at(2026, 3, 12, 0, 1))).toBe(1);
  expect(daysBetween(at(2026, 3, 12, 0, 1), at(2026, 3, 12, 23, 59))).toBe(0);
  // Over both changes of the clock, wherever they are in this time zone.
  expect(daysBetween(at(2026, 1, 1), at(2026, 12, 31))).toBe(364);
});

describe('a day’s line', () => {
  test.each([
    [at(2026, 3, 12, 0, 1), 'Today'],
    [at(2026, 3, 11, 23, 59), 'Yesterday'],
    [at(2026, 3, 9), 'Monday'],
    [at(2026, 3, 5), '5 March'],
    [at(2024, 3, 5), '5 March 2024'],
  ])('%d is %s', (day, expected) => expect(format.day(day, now)).toBe(expected));
});

test('a stamp in a list is as short as it can be', () => {
  expect(format.stamp(at(2026, 3, 12, 8, 5), now)).toBe('08:05');
  expect(format.stamp(at(2026, 3, 9), now)).toBe('Mon');
  expect(format.stamp(at(2026, 2, 1), now)).toBe('1 Feb');
  expect(format.stamp(at(2024, 2, 1), now)).toBe('01/02/24');
});

test('relative times, both ways', () => {
  expect(format.relative(now, now)).toBe('this minute');
  expect(format.relative(now + 10 * 60_000, now)).toBe('in 10 minutes');
  expect(format.relative(now - 3 * 3_600_000, now)).toBe('3 hours ago');
  expect(format.relative(now - 24 * 3_600_000, now)).toBe('yesterday');
});

test('durations', () => {
  expect(format.duration(0)).toBe('0:00');
  expect(format.duration(65_900)).toBe('1:05');
  expect(format.duration(3_729_000)).toBe('1:02:09');
  expect(format.duration(-5)).toBe('0:00');
});
