import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Toasts } from './toasts.svelte.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const toasts = new Toasts();
  const run = vi.fn();
  const onexpire = vi.fn();
  toasts.show('Message discarded', { action: { label: 'Undo', run }, onexpire });
  const id = toasts.list[0]!.id;
  return { toasts, id, run, onexpire };
}

test('without the action chosen in time, the thing becomes final, once', () => {
  const { toasts, run, onexpire } = setUp();
  vi.advanceTimersByTime(60_000);
  expect(toasts.list).toEqual([]);
  expect(onexpire).toHaveBeenCalledOnce();
  expect(run).not.toHaveBeenCalled();
});

test('the action undoes it, and then nothing becomes final', () => {
  const { toasts, id, run, onexpire } = setUp();
  toasts.act(id);
  vi.advanceTimersByTime(60_000);
  expect(run).toHaveBeenCalledOnce();
  expect(onexpire).not.toHaveBeenCalled();
  toasts.act(id);
  expect(run).toHaveBeenCalledOnce();
});

test('a toast that is looked at stays', () => {
  const { toasts, id } = setUp();
  toasts.pause(id);
  vi.advanceTimersByTime(60_000);
  expect(toasts.list).toHaveLength(1);
  toasts.resume(id);
  vi.advanceTimersByTime(60_000);
  expect(toasts.list).toEqual([]);
});

test('leaving makes everything final at once', () => {
  const { toasts, onexpire } = setUp();
  toasts.show('Copied');
  toasts.flush();
  expect(onexpire).toHaveBeenCalledOnce();
  expect(toasts.list).toEqual([]);
});
