import { expect, it } from 'vitest';
import { prekeyDuties } from './prekey-duties.ts';

const DAY = 24 * 60 * 60 * 1000;
const at = (...days: number[]) => days.map((day, i) => ({ keyId: i + 1, createdAt: day * DAY }));

it('rotates the signed prekey weekly', () => {
  const rotate = (now: number, ...days: number[]) =>
    prekeyDuties({ now: now * DAY, signedPrekeys: at(...days), remaining: 100 }).rotate;
  expect(rotate(6.99, 0)).toBe(false);
  expect(rotate(7, 0)).toBe(true);
  expect(rotate(10, 0, 7)).toBe(false);
  expect(rotate(0)).toBe(true);
  expect(rotate(1, 2)).toBe(true);
});

it('keeps a replaced signed prekey 30 days, and the current one for ever', () => {
  const forget = (now: number, ...days: number[]) =>
    prekeyDuties({ now: now * DAY, signedPrekeys: at(...days), remaining: 100 }).forget;
  expect(forget(37, 0, 7)).toEqual([]);
  expect(forget(37.01, 0, 7)).toEqual([1]);
  expect(forget(500, 0)).toEqual([]);
  expect(forget(60, 7, 0, 50)).toEqual([2]);
});

it('tops one-time prekeys up to 100 below 20', () => {
  const topUp = (remaining: number | null) => prekeyDuties({ now: 0, signedPrekeys: at(0), remaining }).topUp;
  expect([topUp(20), topUp(19), topUp(0), topUp(null)]).toEqual([0, 81, 100, 0]);
});
