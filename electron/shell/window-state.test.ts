import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIN_HEIGHT, MIN_WIDTH, placeWindow } from './window-state.ts';

const main = { x: 0, y: 25, width: 1920, height: 1055 };
const left = { x: -1280, y: 0, width: 1280, height: 1024 };
const saved = { x: 100, y: 100, width: 900, height: 700, maximised: false };

describe('placeWindow', () => {
  it('lets the system choose the first place', () => {
    expect(placeWindow(null, [main])).toEqual({ width: 1180, height: 780, position: null, maximised: false });
  });

  it('goes back to where it was, on any screen', () => {
    expect(placeWindow(saved, [main])).toEqual({
      width: 900,
      height: 700,
      position: { x: 100, y: 100 },
      maximised: false,
    });
    expect(placeWindow({ ...saved, x: -1000 }, [main, left]).position).toEqual({ x: -1000, y: 100 });
  });

  it('comes back when its screen is gone or its title bar would be out of reach', () => {
    expect(placeWindow({ ...saved, x: -1000 }, [main]).position).toBeNull();
    expect(placeWindow({ ...saved, y: 5000 }, [main]).position).toBeNull();
    expect(placeWindow({ ...saved, y: 0 }, [main]).position).toBeNull();
    expect(placeWindow({ ...saved, x: 1900 }, [main]).position).toBeNull();
  });

  it('shrinks to the screen and grows to what the interface needs', () => {
    expect(placeWindow({ ...saved, width: 5000, height: 5000 }, [main])).toMatchObject({ width: 1920, height: 1055 });
    expect(placeWindow({ ...saved, width: 90, height: 1 }, [main])).toMatchObject({
      width: MIN_WIDTH,
      height: MIN_HEIGHT,
    });
  });

  it('stays maximised', () => {
    expect(placeWindow({ ...saved, maximised: true }, [main]).maximised).toBe(true);
  });

  it('always opens large enough and within reach', () => {
    const int = (min: number, max: number) => fc.integer({ min, max });
    const rectangle = fc.record({
      x: int(-9000, 9000),
      y: int(-9000, 9000),
      width: int(1, 9000),
      height: int(1, 9000),
    });
    const area = rectangle.map((r) => ({ ...r, width: r.width + 400, height: r.height + 500 }));
    fc.assert(
      fc.property(rectangle, fc.array(area), (window, areas) => {
        const { width, height, position } = placeWindow({ ...window, maximised: false }, areas);
        expect(width).toBeGreaterThanOrEqual(MIN_WIDTH);
        expect(height).toBeGreaterThanOrEqual(MIN_HEIGHT);
        if (position === null) return;
        const held = areas.some(
          (a) =>
            position.y >= a.y &&
            position.y < a.y + a.height &&
            position.x < a.x + a.width &&
            position.x + window.width > a.x,
        );
        expect(held).toBe(true);
      }),
    );
  });
});
