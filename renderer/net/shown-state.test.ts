import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ConnectionState } from './connection.ts';
import { ShownState } from './shown-state.ts';

let shown: string[];
let state: ShownState;

const STATES = {
  online: { kind: 'online' },
  offline: { kind: 'offline', retryAt: null },
  connecting: { kind: 'connecting' },
  resynchronising: { kind: 'resynchronising' },
} as const satisfies Record<string, ConnectionState>;

function is(kind: keyof typeof STATES, ms = 0): void {
  state.is(STATES[kind]);
  vi.advanceTimersByTime(ms);
}

beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  state = new ShownState(({ kind }) => void shown.push(kind));
});
afterEach(() => void vi.useRealTimers());

it('says nothing of what is over within two seconds', () => {
  for (let i = 0; i < 20; i += 1) {
    is('connecting', 900);
    is('resynchronising', 900);
    is('online', 3000);
  }
  expect(shown).toEqual([]);
});

it('counts the whole interruption, whatever it is at the moment', () => {
  is('connecting', 800);
  is('offline', 800);
  is('connecting', 399);
  expect(shown).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(shown).toEqual(['connecting']);
});

it('does not flicker between the attempts, nor when the line is back for an instant', () => {
  is('offline', 3000);
  for (let i = 0; i < 30; i += 1) {
    is('connecting', 300);
    is('offline', 300);
    is('online', 300);
    is('offline', 300);
  }
  expect(shown).toEqual(['offline']);
  is('online', 1000);
  expect(shown).toEqual(['offline', 'online']);
});

it('says at once what stays until something is done', () => {
  state.is({ kind: 'ended', reason: 'replaced' });
  expect(shown).toEqual(['ended']);
});

it('ends with what is so, and never says anything for less than 0.7 s', () => {
  const kinds = fc.constantFrom<keyof typeof STATES>('online', 'offline', 'connecting', 'resynchronising');
  fc.assert(
    fc.property(fc.array(fc.tuple(kinds, fc.nat(3000)), { minLength: 1 }), (steps) => {
      const times: number[] = [];
      const said: string[] = ['online'];
      state = new ShownState(({ kind }) => {
        times.push(Date.now());
        said.push(kind);
      });
      for (const [kind, ms] of steps) is(kind, ms);
      vi.advanceTimersByTime(3000);
      expect(said.at(-1)).toBe(steps.at(-1)?.[0]);
      times.slice(1).forEach((time, i) => expect(time - times[i]!).toBeGreaterThanOrEqual(700));
    }),
  );
});
