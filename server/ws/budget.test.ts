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
  // As many refusals as somebody likes to ask for.
  for (let i = 0; i < 100_000; i++) budget.work(LIMITS.workInFullMs.value * 0.9, 0);
  expect(budget.receive(1, 0)).toBe(LIMITS.longestWaitMs.value);
  expect(budget.receive(0, LIMITS.longestWaitMs.value)).toBe(0);
});

it.each([2, 100, 1000, 5000])('one account has its share of the time, in pieces of %s ms', (piece) => {
  const budget = new Budget(1, 0);
  const [hour, share] = [3_600_000, LIMITS.workMsPerSecond.value / 1000];
  let [now, worked] = [0, 0];
  while (now < hour) {
    now += budget.receive(0, now);
    now += piece;
    worked += piece;
    budget.work(piece, now);
  }
  expect(worked / now).toBeLessThan(share * 1.01);
});

it('what was under way when the budget was used up counts, too', () => {
  const budget = new Budget(1, 0);
  for (let i = 0; i < 30; i++) budget.work(100, 0);
  const debt = 30 * 100 - LIMITS.workBurstMs.value;
  expect(budget.receive(0, 0)).toBe((debt / LIMITS.workMsPerSecond.value) * 1000);
});

it('a pause of the machine shuts nobody out for minutes', () => {
  const budget = new Budget(1, 0);
  budget.work(600_000, 600_000);
  expect(budget.receive(0, 600_000)).toBe(LIMITS.longestWorkWaitMs.value);
  // What is refused meanwhile makes it neither longer nor shorter.
  budget.work(0.1, 600_000);
  expect(budget.receive(0, 600_000)).toBe(LIMITS.longestWorkWaitMs.value);
  expect(budget.receive(0, 600_000 + LIMITS.longestWorkWaitMs.value)).toBe(0);
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

it('addresses of strangers together take no more of a turn than they may, and each comes to its turn', async () => {
  const budgets = new Budgets(1);
  const piece = LIMITS.workMsPerTurn.value;
  const most = Math.ceil(LIMITS.strangersMsPerTurn.value / piece);
  const took: string[] = [];
  const names = Array.from({ length: 4 * most }, (_, at) => `2001:db8:0:${at}::/64`);
  for (const name of names) {
    const budget = budgets.ofStrangers(name);
    let left = 3;
    const take = () => {
      took.push(name);
      budget.work(piece, 0);
      if (--left > 0) budget.later(take);
    };
    budget.later(take);
  }
  const perTurn: number[] = [];
  for (let turns = 0; took.length < 3 * names.length && turns < 200; turns++) {
    const before = took.length;
    await nextTurn();
    perTurn.push(took.length - before);
  }
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(most);
  // All of them once, then all of them again.
  for (let round = 0; round < 3; round++)
    expect(new Set(took.slice(round * names.length, (round + 1) * names.length)).size).toBe(names.length);
});

it('who has a session waits for no crowd of strangers', async () => {
  const budgets = new Budgets(1);
  for (let at = 0; at < 100; at++) budgets.ofStrangers(`address ${at}`).work(LIMITS.workMsPerTurn.value, 0);
  expect(budgets.ofStrangers('another').crowdHadItsTurn).toBe(true);
  expect(budgets.of('an account').crowdHadItsTurn).toBe(false);
  await nextTurn();
  await nextTurn();
  expect(budgets.ofStrangers('another').crowdHadItsTurn).toBe(false);
});
