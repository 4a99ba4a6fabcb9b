import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('deadlines stay where they are when the machine’s clock is set', () => {
  const before = systemClock.now();
  const real = Date.now();
  for (const jump of [-3_600_000, 3_600_000]) {
    vi.spyOn(Date, 'now').mockReturnValue(real + jump);
    expect(systemClock.epoch()).toBe(real + jump);
    expect(Math.abs(systemClock.now() - before)).toBeLessThan(60_000);
  }
});
