import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fingerprint, whenStale } from './freshness.mjs';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'teahouse-freshness-'));
  await mkdir(join(folder, 'src/deep'), { recursive: true });
  await writeFile(join(folder, 'src/a.ts'), 'a');
  await writeFile(join(folder, 'src/deep/b.ts'), 'b');
});

afterEach(() => rm(folder, { recursive: true }));

const now = () => fingerprint(folder, ['src', 'not-there'], (name) => !name.endsWith('.test.ts'));

test('a fingerprint follows contents and names, not times', async () => {
  const before = now();
  await utimes(join(folder, 'src/a.ts'), 1, 1);
  await writeFile(join(folder, 'src/a.test.ts'), 'does not matter');
  expect(now()).toBe(before);
  await writeFile(join(folder, 'src/deep/b.ts'), 'c');
  const changed = now();
  expect(changed).not.toBe(before);
  await rm(join(folder, 'src/a.ts'));
  expect(now()).not.toBe(changed);
});

test('content that moves from one file to the next changes it', async () => {
  const before = now();
  await writeFile(join(folder, 'src/a.ts'), '');
  await writeFile(join(folder, 'src/deep/b.ts'), 'ab');
  expect(now()).not.toBe(before);
});

function job(work: () => Promise<void>) {
  return { stamp: join(folder, 'stamp'), sources: now(), outputs: [join(folder, 'out')], work };
}

test('works again only when sources change or the output is gone', async () => {
  const work = vi.fn(() => writeFile(join(folder, 'out'), 'built'));
  expect(await whenStale(job(work))).toBe(true);
  expect(await whenStale(job(work))).toBe(false);
  await writeFile(join(folder, 'src/a.ts'), 'changed');
  expect(await whenStale(job(work))).toBe(true);
  await rm(join(folder, 'out'));
  expect(await whenStale(job(work))).toBe(true);
  expect(work).toHaveBeenCalledTimes(3);
});

test('work that failed is done again', async () => {
  await whenStale(job(() => writeFile(join(folder, 'out'), 'old')));
  await writeFile(join(folder, 'src/a.ts'), 'changed');
  const broken = job(() => Promise.reject(new Error('no')));
  await expect(whenStale(broken)).rejects.toThrow('no');
  // Not even with the sources as they were before: the output may be half of the new one.
  await writeFile(join(folder, 'src/a.ts'), 'a');
  expect(await whenStale(job(() => writeFile(join(folder, 'out'), 'new')))).toBe(true);
});
