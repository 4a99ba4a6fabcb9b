import { afterEach, expect, it } from 'vitest';
import { ProtocolError } from '../../protocol/errors.ts';
import { createLog } from '../log.ts';
import { StorageHealth } from './storage-health.ts';
import type { Store } from './store.ts';

const MB = 1_000_000;
let health: StorageHealth;
afterEach(() => health.close());

interface Disk {
  free: number;
  total: number;
  log: number;
  unmerged: number;
  reusable: number;
  time: number;
  fails: boolean;
}

function make(change: Partial<Disk> = {}, kind: Store['kind'] = 'sqlite', minFree?: number) {
  const disk: Disk = {
    free: 1000 * MB,
    total: 100_000 * MB,
    log: 0,
    unmerged: 0,
    reusable: 0,
    time: 0,
    fails: false,
    ...change,
  };
  const lines: { level: number; msg: string }[] = [];
  let checkpoints = 0;
  const store = {
    kind,
    ping: async () => undefined,
    checkpoint: async () => (checkpoints++, disk.unmerged),
    logBytes: async () => disk.log,
    reusableBytes: async () => disk.reusable,
  } as Partial<Store> as Store;
  health = new StorageHealth({
    store,
    dataDir: '/nowhere',
    minFree,
    log: createLog('info', { write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }) }),
    clock: () => disk.time,
    diskSpace: async () => {
      if (disk.fails) throw new Error('no statfs here');
      return { free: disk.free, total: disk.total };
    },
  });
  return { disk, lines, checkpoints: () => checkpoints };
}

const code = (work: () => void): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof ProtocolError ? error.code : 'another error';
  }
};
const sqlite = (errcode: number) => Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode });

it('refuses growth below what stays free, tells it once, merges the log, and goes on above', async () => {
  const { disk, lines, checkpoints } = make();
  await health.check();
  expect(code(() => health.requireSpace())).toBeNull();
  disk.free = 511 * MB;
  for (let i = 0; i < 3; i++) await health.check();
  expect(code(() => health.requireSpace())).toBe('storage_full');
  expect(code(() => health.requireSound())).toBeNull();
  expect(lines.map(({ level }) => level)).toEqual([50]);
  expect(checkpoints()).toBe(3);
  disk.free = 520 * MB;
  await health.check();
  expect(health.full, 'a disk at the edge stays refused').toBe(true);
  disk.free = 600 * MB;
  await health.check();
  expect(code(() => health.requireSpace())).toBeNull();
  expect(lines.map(({ level }) => level)).toEqual([50, 30]);
});

it('keeps less free on a small disk, and what the log of changes needs besides', async () => {
  const { disk } = make({ total: 1000 * MB, free: 60 * MB });
  await health.check();
  expect(health.full).toBe(false);
  Object.assign(disk, { log: 20 * MB, unmerged: 20 * MB });
  await health.check();
  expect(health.full).toBe(true);
  disk.unmerged = 0;
  await health.check();
  expect(health.full, 'a log that is merged needs nothing').toBe(false);
});

it('leaves as much free as was asked for, on any disk', async () => {
  for (const total of [1000 * MB, 2_000_000 * MB]) {
    const { disk } = make({ total, free: 401 * MB }, 'sqlite', 400 * MB);
    await health.check();
    expect(health.full).toBe(false);
    disk.free = 399 * MB;
    await health.check();
    expect(health.full).toBe(true);
    await health.close();
  }
  const { disk } = make({ total: 10_000_000 * MB, free: 50_001 * MB }, 'sqlite', 50_000 * MB);
  await health.check();
  expect(health.full).toBe(false);
  disk.free = 49_999 * MB;
  await health.check();
  expect(health.full, 'more than the usual').toBe(true);
});

it('goes on in the room that was fetched from inside the files, though the disk has none', async () => {
  const { disk } = make({ free: 1 * MB, log: 64 * MB });
  await health.check();
  expect(health.full).toBe(true);
  disk.reusable = 5 * MB;
  await health.check();
  expect(health.full, 'not at the edge').toBe(true);
  disk.reusable = 100 * MB;
  await health.check();
  expect(health.full).toBe(false);
  disk.log = 0;
  await health.check();
  expect(health.full, 'the log has no room').toBe(true);
});

it('looks again before more was written than fits', async () => {
  const { disk } = make({ free: 514 * MB });
  await health.check();
  disk.free = 400 * MB;
  for (let i = 0; i < 4; i++) health.requireSpace();
  await health.close();
  expect(health.full).toBe(true);
});

it('believes a write that failed for lack of space, for a while', async () => {
  const { disk, lines } = make();
  await health.check();
  for (let time = 0; time < 60_000; time += 6000) {
    disk.time = time;
    await health.check();
    expect(health.full, 'it is tried again').toBe(false);
    expect(ProtocolError.is(health.note(sqlite(13)), 'storage_full')).toBe(true);
    expect(health.full).toBe(true);
  }
  expect(lines, 'told once, however often it is tried').toHaveLength(1);
  disk.time = 100_000;
  health.noteGrowth();
  expect(lines.map(({ level }) => level)).toEqual([50, 30]);
});

it('refuses all writes to a damaged database, for good', async () => {
  const { lines } = make();
  expect(ProtocolError.is(health.note(sqlite(11)), 'internal')).toBe(true);
  health.note(sqlite(267));
  await health.check();
  expect(code(() => health.requireSound())).toBe('internal');
  expect(await health.ready()).toBe(false);
  expect(lines).toHaveLength(1);
});

it.each([
  [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'unavailable'],
  [Object.assign(new Error('x'), { code: '57P01' }), 'unavailable'],
  [Object.assign(new Error('x'), { code: '08006' }), 'unavailable'],
  [new Error('Connection terminated unexpectedly'), 'unavailable'],
  [Object.assign(new Error('x'), { code: '53100' }), 'storage_full'],
  [sqlite(4874), 'storage_full'],
  [sqlite(8), 'unavailable'],
  [sqlite(5), 'unavailable'],
])('answers a failure of the storage with a code (%o)', (error, expected) => {
  make();
  expect(
    code(() => {
      throw health.note(error);
    }),
  ).toBe(expected);
});

it('leaves every other error as it is', () => {
  make();
  const bug = new TypeError('x');
  expect(health.note(bug)).toBe(bug);
  const constraint = sqlite(1555);
  expect(health.note(constraint)).toBe(constraint);
});

it('asks PostgreSQL, not the data folder, whether there is space', async () => {
  make({ free: 0 }, 'postgres');
  await health.check();
  expect(health.full).toBe(false);
  health.note(Object.assign(new Error('x'), { code: '53100' }));
  expect(health.full).toBe(true);
});

it('lets everything be written where the file system does not say how full it is', async () => {
  make({ fails: true });
  await health.check();
  expect(code(() => health.requireSpace())).toBeNull();
});
