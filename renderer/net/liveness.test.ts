import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Liveness } from './liveness.ts';
import { TIMINGS } from './timings.ts';

let live: Liveness;
let pings: number;
let dead: number | null;
let waiting: boolean;
let buffered: number;
let began: number;

function watch(patience = 1): void {
  [pings, dead, waiting, buffered, began] = [0, null, false, 0, Date.now()];
  live = new Liveness({
    timings: TIMINGS,
    patience,
    isWaiting: () => waiting,
    buffered: () => buffered,
    ping: () => void (pings += 1),
    onDead: () => (dead = Date.now() - began),
  });
}

function ask(): void {
  live.asked();
  waiting = true;
}

/** Time passes for everybody but the page: its timers come when it is over. */
function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

beforeEach(() => {
  vi.useFakeTimers();
  watch();
});
afterEach(() => {
  live.stop();
  vi.useRealTimers();
});

describe('a dead line', () => {
  it('at rest is noticed after at most 15 s', () => {
    vi.advanceTimersByTime(14_900);
    expect(dead).toBeNull();
    vi.advanceTimersByTime(200);
    expect(dead).toBe(15_000);
  });

  it.each([0, 1000, 5000, 9900, 10_100, 14_000])(
    'that is asked something after %i ms of rest is noticed 8 s later',
    (rest) => {
      vi.advanceTimersByTime(rest);
      ask();
      vi.advanceTimersByTime(8000);
      expect(dead).not.toBeNull();
      expect(dead! - rest).toBeLessThanOrEqual(8000);
    },
  );

  it('is noticed 8 s after the last sign of life, however much is asked meanwhile', () => {
    ask();
    vi.advanceTimersByTime(3000);
    live.heard();
    for (let i = 0; i < 8; i += 1) {
      vi.advanceTimersByTime(1000);
      ask();
    }
    expect(dead).toBeGreaterThan(8000);
    expect(dead).toBeLessThanOrEqual(11_000);
  });

  it('is noticed 3 s after a hint of the machine', () => {
    vi.advanceTimersByTime(4000);
    live.hint();
    expect(pings).toBe(1);
    vi.advanceTimersByTime(3000);
    expect(dead).toBe(7000);
  });

  it('is noticed sooner if the hint comes while it is probed', () => {
    vi.advanceTimersByTime(10_500);
    live.hint();
    vi.advanceTimersByTime(3000);
    expect(dead).toBe(13_500);
  });

  it('after the machine slept is noticed 3 s after the timer came, not by the time slept', () => {
    vi.advanceTimersByTime(5000);
    sleep(3_600_000);
    vi.advanceTimersByTime(5000);
    expect(dead).toBeNull();
    expect(pings).toBe(1);
    vi.advanceTimersByTime(3000);
    expect(dead).not.toBeNull();
  });

  it.each([0, 4000, 12_000])(
    'is noticed though the system’s clock is set back by a day, %i ms after the last sign of life',
    (rest) => {
      vi.advanceTimersByTime(rest);
      vi.setSystemTime(Date.now() - 86_400_000);
      // What the timer that runs already has left, and then all of the usual time.
      vi.advanceTimersByTime(25_000);
      expect(dead).not.toBeNull();
    },
  );

  it('that is waited for is noticed though the clock is set back', () => {
    ask();
    vi.advanceTimersByTime(1000);
    vi.setSystemTime(Date.now() - 86_400_000);
    live.heard();
    ask();
    vi.setSystemTime(Date.now() - 86_400_000);
    vi.advanceTimersByTime(20_000);
    expect(dead).not.toBeNull();
  });

  it('is noticed by timers that a background page holds up', () => {
    for (let minute = 0; minute < 4; minute += 1) {
      sleep(50_000);
      vi.advanceTimersByTime(10_000);
    }
    expect(dead).not.toBeNull();
  });
});

describe('a living line', () => {
  it('is asked at rest six times a minute, and not at all while something arrives', () => {
    for (let second = 0; second < 60; second += 1) {
      if (pings > 0) live.heard();
      vi.advanceTimersByTime(1000);
      live.heard();
    }
    expect(pings).toBe(0);
    for (let second = 0, answered = 0; second < 600; second += 1) {
      vi.advanceTimersByTime(100);
      if (pings > answered) {
        answered = pings;
        live.heard();
      }
    }
    expect(pings).toBeLessThanOrEqual(6);
    expect(pings).toBeGreaterThanOrEqual(5);
    expect(dead).toBeNull();
  });

  it('that is slow is not given up while what it takes gets less', () => {
    buffered = 100_000;
    ask();
    for (let second = 0; second < 60; second += 1) {
      vi.advanceTimersByTime(1000);
      buffered -= 1000;
    }
    expect(dead).toBeNull();
    vi.advanceTimersByTime(10_000);
    expect(dead, 'it takes nothing any more').not.toBeNull();
  });

  it('that fell silent after its hello before is given longer', () => {
    live.stop();
    watch(4);
    ask();
    vi.advanceTimersByTime(31_000);
    expect(dead).toBeNull();
    vi.advanceTimersByTime(1000);
    expect(dead).toBe(32_000);
  });
});

it('says nothing more once it was stopped', () => {
  live.stop();
  live.hint();
  ask();
  vi.advanceTimersByTime(100_000);
  expect([pings, dead]).toEqual([0, null]);
});
