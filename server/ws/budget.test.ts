import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Budget, Budgets } from './budget.ts';
import { LIMITS } from './limits.ts';

it('takes a burst, and says when there is room again', () => {
  const budget = new Budget(1, 0);
  expect(budget.receive(LIMITS.burstBytes.value, 0)).toBe(0);
  expect(budget.receive(LIMITS.bytesPerSecond.value, 0)).toBe(1000);
  expect(budget.receive(0, 1000)).toBe(0);
});

it('however much came, whoever shares it waits no longer than the longest wait', () => {
  const budget = new Budget(1, 0);
  for (let i = 0; i < 1000; i++) budget.receive(LIMITS.burstBytes.value, 0);
  budget.work(1_000_000, 0);
  expect(budget.receive(1, 0)).toBe(LIMITS.longestWaitMs.value);
  expect(budget.receive(0, LIMITS.longestWaitMs.value)).toBe(0);
});

it('what was not used in a quiet hour is no larger burst', () => {
  const budget = new Budget(1, 0);
  expect(budget.receive(LIMITS.burstBytes.value + LIMITS.bytesPerSecond.value, 3_600_000)).toBe(1000);
});

it('remembers no more names than it may, and those who were asked for last', () => {
  const budgets = new Budgets(1);
  const used = budgets.of('used');
  for (let i = 0; i < LIMITS.budgets.value * 2; i++) {
    budgets.of(`stranger ${i}`);
    if (i % 1000 === 0) expect(budgets.of('used')).toBe(used);
  }
});

it('has had its turn of the event loop after its share of it, and has another one in the next', async () => {
  const budget = new Budget(1, 0);
  budget.work(LIMITS.workMsPerTurn.value / 2, 0);
  expect(budget.hadItsTurn).toBe(false);
  budget.work(LIMITS.workMsPerTurn.value / 2, 0);
  expect(budget.hadItsTurn).toBe(true);
  await nextTurn();
  expect(budget.hadItsTurn).toBe(false);
});
