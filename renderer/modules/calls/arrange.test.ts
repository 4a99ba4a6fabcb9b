import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrange, type Rect } from './arrange.ts';

const stage = fc.record({
  width: fc.integer({ min: 320, max: 3840 }),
  height: fc.integer({ min: 320, max: 2160 }),
  people: fc.integer({ min: 1, max: 8 }),
  screens: fc.integer({ min: 0, max: 3 }),
});

function overlaps(a: Rect, b: Rect): boolean {
  const apart = a.x + a.width <= b.x + 0.01 || b.x + b.width <= a.x + 0.01;
  return !apart && !(a.y + a.height <= b.y + 0.01 || b.y + b.height <= a.y + 0.01);
}

describe('the stage', () => {
  test('every tile has a place within it, and none covers another but one’s own in a call of two', () => {
    fc.assert(
      fc.property(stage, (input) => {
        const { people, screens, floating } = arrange(input);
        expect([people.length, screens.length]).toEqual([input.people, input.screens]);
        const all = [...people, ...screens];
        for (const { x, y, width, height } of all) {
          expect(Math.min(width, height)).toBeGreaterThan(0);
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(-0.01);
          expect(x + width).toBeLessThanOrEqual(input.width + 0.01);
          expect(y + height).toBeLessThanOrEqual(input.height + 0.01);
        }
        expect(floating).toBe(input.people === 2 && input.screens === 0);
        if (floating) return;
        for (const [index, one] of all.entries()) {
          for (const other of all.slice(index + 1)) expect(overlaps(one, other)).toBe(false);
        }
      }),
    );
  });

  test('people are never squeezed into slivers', () => {
    fc.assert(
      fc.property(stage, (input) => {
        for (const { width, height } of arrange({ ...input, screens: 0, people: Math.max(3, input.people) }).people) {
          expect(width / height).toBeGreaterThan(0.74);
          expect(width / height).toBeLessThan(1.78);
        }
      }),
    );
  });

  test('a shared screen has most of the room', () => {
    for (const [width, height] of [
      [1280, 660],
      [2560, 1300],
      [360, 560],
    ] as const) {
      const screen = arrange({ width, height, people: 8, screens: 1 }).screens[0];
      expect(((screen?.width ?? 0) * (screen?.height ?? 0)) / (width * height)).toBeGreaterThan(0.7);
    }
  });

  test('four people on a wide stage stand two by two', () => {
    const { people } = arrange({ width: 1280, height: 720, people: 4, screens: 0 });
    expect(new Set(people.map(({ x }) => Math.round(x))).size).toBe(2);
    expect(new Set(people.map(({ y }) => Math.round(y))).size).toBe(2);
  });

  test('three on a wide stage stand two and one, so that no face is cut', () => {
    const { people } = arrange({ width: 1256, height: 660, people: 3, screens: 0 });
    expect(new Set(people.map(({ y }) => Math.round(y))).size).toBe(2);
    for (const { width, height } of people) expect(width / height).toBeGreaterThan(1.5);
  });

  test('a narrow stage stacks them', () => {
    const { people } = arrange({ width: 360, height: 560, people: 3, screens: 0 });
    expect(people.every(({ width }) => width > 150)).toBe(true);
  });

  test('before it is measured nothing has a size', () => {
    expect(arrange({ width: 0, height: 0, people: 3, screens: 1 }).people).toHaveLength(3);
  });
});
