import { expect, it, vi } from 'vitest';
import { createRecovery } from './recovery.ts';

it('loads a page that died anew, but not for ever', () => {
  let time = 0;
  const reload = vi.fn();
  const giveUp = vi.fn();
  const died = createRecovery({ now: () => time, reload, giveUp });
  for (let count = 0; count < 3; count += 1) died();
  expect([reload.mock.calls.length, giveUp.mock.calls.length]).toEqual([3, 0]);
  died();
  expect([reload.mock.calls.length, giveUp.mock.calls.length]).toEqual([3, 1]);
  time = 61_000;
  died();
  expect([reload.mock.calls.length, giveUp.mock.calls.length]).toEqual([4, 1]);
});
