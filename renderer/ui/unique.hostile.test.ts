import { expect, test } from 'vitest';
import { unique } from './unique.ts';

test('what is named twice is there once, as it was named first', () => {
  const list = [
    { id: 'a', at: 1 },
    { id: 'b', at: 2 },
    { id: 'a', at: 3 },
    { id: 'b', at: 4 },
  ];
  expect(unique(list, ({ id }) => id)).toEqual(list.slice(0, 2));
});

test('a list in which nothing is named twice is the same list', () => {
  const list = [{ id: 'a' }, { id: 'b' }];
  expect(unique(list, ({ id }) => id)).toBe(list);
});

test('ten thousand of one name cost no more than ten thousand names', () => {
  expect(
    unique(
      Array.from({ length: 10_000 }, (_, i) => i % 2),
      (one) => one,
    ),
  ).toEqual([0, 1]);
});
