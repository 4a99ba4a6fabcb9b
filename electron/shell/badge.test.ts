import { describe, expect, it, vi } from 'vitest';
import { createBadge, drawDot } from './badge.ts';

describe('the badge', () => {
  it('is a number where the system can', () => {
    const setCount = vi.fn();
    const setDot = vi.fn();
    createBadge({ platform: 'linux', setCount, setDot })(3);
    expect(setCount).toHaveBeenCalledWith(3);
    expect(setDot).not.toHaveBeenCalled();
  });

  it('is a dot on Windows, with words for screen readers', () => {
    const setCount = vi.fn();
    const setDot = vi.fn();
    const setBadge = createBadge({ platform: 'win32', setCount, setDot });
    setBadge(3);
    setBadge(0);
    expect(setDot.mock.calls).toEqual([
      [expect.objectContaining({ width: 32, height: 32 }), '3 unread'],
      [null, ''],
    ]);
    expect(setCount).not.toHaveBeenCalled();
  });

  it('is round: full in the middle, clear in the corners, never brighter than its cover', () => {
    const { width, height, pixels } = drawDot(32);
    expect(pixels.length).toBe(width * height * 4);
    const pixel = (x: number, y: number) => [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
    expect(pixel(16, 16)).toEqual([0x2b, 0x35, 0xad, 255]);
    expect(pixel(0, 0)).toEqual([0, 0, 0, 0]);
    expect(pixel(31, 31)).toEqual([0, 0, 0, 0]);
    for (let at = 0; at < pixels.length; at += 4) {
      expect(Math.max(...pixels.subarray(at, at + 3))).toBeLessThanOrEqual(pixels[at + 3]!);
    }
  });
});
