import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runSteps } from './set-up.mjs';
import { SetupError } from './setup-error.mjs';

let out = '';
let errors = '';

beforeEach(() => {
  out = errors = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
});

afterEach(() => vi.restoreAllMocks());

const step = (name: string, done: boolean, run: () => Promise<void> = async () => {}) => ({
  name,
  why: `because of ${name}`,
  isDone: () => done,
  run: vi.fn(run),
});

test('does what is missing, in order, and announces it', async () => {
  const steps = [step('first', true), step('second', false), step('third', false)];
  expect(await runSteps(steps, false)).toBe(0);
  expect(steps.map(({ run }) => run.mock.calls.length)).toEqual([0, 1, 1]);
  expect(out).toMatch(/\[2\/3\].*second.*because of second[\s\S]*\[3\/3\].*third/);
  expect(out).not.toContain('because of first');
});

test('says nothing when there is nothing to do', async () => {
  expect(await runSteps([step('first', true)], false)).toBe(0);
  expect(out + errors).toBe('');
});

test('stops at a step that fails, and says what to do', async () => {
  const fail = async () => {
    throw new SetupError('The disk is full.', 'Type: df -h');
  };
  const after = step('after', false);
  expect(await runSteps([step('broken', false, fail), after], false)).toBe(1);
  expect(errors).toContain('broken');
  expect(errors).toContain('The disk is full.');
  expect(errors).toContain('Type: df -h');
  expect(after.run).not.toHaveBeenCalled();
});
