import { expect, it } from 'vitest';
import { FairQueue } from './fair-queue.ts';

/** What ran, in order; each task waits a moment, so that the others could overtake it. */
async function order(asked: readonly string[]): Promise<string[]> {
  const queue = new FairQueue();
  const began: string[] = [];
  const ended: string[] = [];
  await Promise.all(
    asked.map((name) =>
      queue.run(name[0] ?? '', async () => {
        began.push(name);
        await new Promise((resolve) => setTimeout(resolve, 1));
        ended.push(name);
      }),
    ),
  );
  expect(ended).toEqual(began);
  return began;
}

it('gives everybody a turn, and keeps the order of each', async () => {
  expect(await order(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'])).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
});

it('goes on after a task that failed, thrown or rejected, and after it was empty', async () => {
  const queue = new FairQueue();
  const thrown = queue.run('a', () => {
    throw new Error('thrown');
  });
  const rejected = queue.run('a', () => Promise.reject(new Error('rejected')));
  await expect(thrown).rejects.toThrow('thrown');
  await expect(rejected).rejects.toThrow('rejected');
  expect(await queue.run('a', () => 1)).toBe(1);
  expect(await queue.run('b', async () => 2)).toBe(2);
});
