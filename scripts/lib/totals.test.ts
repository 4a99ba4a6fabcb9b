import { expect, test } from 'vitest';
import { lastLine, playwrightTotals, single, sum, vitestTotals } from './totals.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each, fullName: ` ${each} test` })),
});

test('counts the tests of Vitest and names what was skipped', () => {
  const report = { testResults: [file('passed', 'passed', 'passed', 'skipped'), file('failed', 'failed', 'todo')] };
  expect(vitestTotals(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 2, skips: ['skipped test', 'todo test'] });
});

test('a file that does not load is a failure', () => {
  expect(vitestTotals({ testResults: [file('failed'), file('passed', 'passed')] }, 1).failed).toBe(1);
});

test('a runner that ends badly, or leaves no report, has failed', () => {
  expect(vitestTotals({ testResults: [file('passed', 'passed')] }, 1)).toMatchObject({ passed: 1, failed: 1 });
  expect(vitestTotals(undefined, 0).failed).toBe(1);
  expect(playwrightTotals({ suites: [] }, 1).failed).toBe(1);
  expect(playwrightTotals(undefined, 0).failed).toBe(1);
});

test('counts the tests of Playwright in suites within suites', () => {
  const spec = (title: string, status: string, why?: string) => ({
    title,
    tests: [{ status, annotations: why === undefined ? [] : [{ type: 'skip', description: why }] }],
  });
  const report = {
    suites: [
      {
        title: 'chat',
        specs: [spec('a', 'expected')],
        suites: [{ title: 'offline', specs: [spec('b', 'unexpected')] }],
      },
      { title: 'shell', specs: [spec('c', 'skipped', 'no Electron here'), spec('d', 'flaky'), spec('e', 'skipped')] },
    ],
  };
  expect(playwrightTotals(report, 1)).toEqual({
    passed: 1,
    failed: 2,
    skipped: 2,
    skips: ['c: no Electron here', 'e'],
  });
});

test('adds up to the last line', () => {
  const all = sum([single(true), single(false), { passed: 3, failed: 0, skipped: 2, skips: ['x', 'y'] }]);
  expect(lastLine(all)).toBe('4 passed, 1 failed, 2 skipped');
  expect(all.skips).toEqual(['x', 'y']);
});
