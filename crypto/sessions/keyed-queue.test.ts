import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyedQueue } from './keyed-queue.ts';

it('never runs two tasks of one key at once, keeps their order, and forgets', async () => {
  const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(keys, { maxLength: 12 }), async (scheduler, tasks) => {
      const queue = new KeyedQueue();
      const busy = new Set<string>();
      const order = new Map<string, number[]>();
      const all = tasks.map((taskKeys, i) =>
        queue.run(taskKeys, async () => {
          for (const key of new Set(taskKeys)) {
            expect(busy.has(key)).toBe(false);
            busy.add(key);
            order.set(key, [...(order.get(key) ?? []), i]);
          }
          await scheduler.schedule(Promise.resolve());
          for (const key of taskKeys) busy.delete(key);
        }),
      );
      await scheduler.waitFor(Promise.all(all));
      for (const ran of order.values()) expect(ran).toEqual(ran.toSorted((a, b) => a - b));
      expect(queue.size).toBe(0);
    }),
  );
});

it('goes on after a task that failed, and tells its caller alone', async () => {
  const queue = new KeyedQueue();
  const failed = queue.run(['a'], () => Promise.reject(new Error('no')));
  const next = queue.run(['a'], () => Promise.resolve('yes'));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

it('runs tasks of different keys side by side', async () => {
  const queue = new KeyedQueue();
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = queue.run(['a'], () => promise);
  expect(await queue.run(['b'], () => Promise.resolve('done'))).toBe('done');
  resolve();
  await waiting;
});
