import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { awaitRoom } from './await-room.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a full disk is looked at again until there is room, and once then', async () => {
  let room = false;
  const then = vi.fn();
  awaitRoom(then, async () => room);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(then).not.toHaveBeenCalled();
  room = true;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(then).toHaveBeenCalledTimes(1);
});

test('storage that fails with room on the disk is not tried again without end', async () => {
  const room = vi.fn(async () => true);
  const then = vi.fn();
  awaitRoom(then, room);
  await vi.advanceTimersByTimeAsync(300_000);
  expect([room.mock.calls.length, then.mock.calls.length]).toEqual([1, 0]);
});

test('nothing happens after the waiting was ended', async () => {
  let room = false;
  const then = vi.fn();
  const end = awaitRoom(then, async () => room);
  await vi.advanceTimersByTimeAsync(1000);
  end();
  room = true;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(then).not.toHaveBeenCalled();
});
