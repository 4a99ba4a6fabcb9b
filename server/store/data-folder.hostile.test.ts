import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAddress } from '../address-file.ts';
import { makeDataFolder } from './data-folder.ts';

/* Folders that a person may name by mistake: the server ends with a sentence, and never hangs. */

const MAIN = join(import.meta.dirname, '../main.ts');
const STACK = /\n\s+at /;
/** Ends what hangs; far longer than a start takes on a busy machine. Milliseconds. */
const PATIENCE = 60_000;

const deep = Array.from({ length: 5 }, () => 'a'.repeat(200));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'teahouse-folders-'));
  writeFileSync(join(folder, 'file'), 'a file');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  symlinkSync(join(folder, 'circle'), join(folder, 'circle'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As a user who is not the owner of `folder`, where the system can. */
function start(data: string, as?: number) {
  const argv = [MAIN, '--data', data, '--port', '0'];
  const env = { PATH: process.env.PATH, TEAHOUSE_MEDIA_WORKERS: '0' };
  const user = as === undefined ? {} : { uid: as, gid: as };
  return spawnSync(process.execPath, argv, { env, ...user, timeout: PATIENCE, encoding: 'utf8' });
}

describe('a server does not start, and says why in one sentence,', () => {
  it.each([
    ['on a file', () => join(folder, 'file'), /is a file, or lies inside of one/],
    ['in a file', () => join(folder, 'file', 'a', 'b'), /is a file, or lies inside of one/],
    ['on a link to nothing', () => join(folder, 'dangling'), /is a file, or lies inside of one/],
    ['on a link to itself', () => join(folder, 'circle', 'x'), /cannot be made there \(ELOOP\)/],
    ['under a name that is too long', () => join(folder, 'a'.repeat(300)), /path of the data folder is too long/],
    ['under a path that is too long for SQLite', () => join(folder, ...deep), /path of the data folder is too long/],
    ['under a path that is too long', () => join(folder, 'a/'.repeat(3000)), /path of the data folder is too long/],
  ])('%s', (_, data, words) => {
    const { status, stderr, stdout } = start(data());
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(words);
    expect(stderr.trim()).not.toMatch(/\n/);
  });

  it.skipIf(process.platform !== 'linux')('where the system makes no folders', () => {
    for (const data of ['/proc/x', '/proc/x/y/z', '/proc/self/x']) {
      const { status, stderr, signal } = start(data);
      expect({ status, signal }).toEqual({ status: 1, signal: null });
      expect(stderr).toMatch(/The data folder \/proc\/\S+ cannot be made there|not possible to write in/);
      expect(stderr).not.toMatch(STACK);
    }
  });

  // Only the superuser may start a process as somebody else, and nothing stops the superuser from writing.
  it.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')('in a folder that is somebody else’s', () => {
    const closed = mkdtempSync(join(tmpdir(), 'teahouse-closed-'));
    try {
      const nobody = 65_534;
      for (const data of [closed, join(closed, 'data')]) {
        const { status, stderr } = start(data, nobody);
        expect(status).toBe(1);
        expect(stderr).toMatch(/not possible to write in .* owns it, or choose another with --data/);
        expect(stderr).not.toMatch(STACK);
      }
    } finally {
      rmSync(closed, { recursive: true });
    }
  });
});

describe('makeDataFolder', () => {
  it('makes what is missing, for the owner alone, and takes what is there', () => {
    const data = join(folder, 'a', 'b', 'c');
    makeDataFolder(data);
    makeDataFolder(data);
    if (process.platform !== 'win32') expect(statSync(data).mode & 0o777).toBe(0o700);
    makeDataFolder('/');
  });

  it('takes a link to a folder', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    makeDataFolder(join(folder, 'link'));
    makeDataFolder(join(folder, 'link', 'inside'));
    expect(statSync(join(folder, 'real', 'inside')).isDirectory()).toBe(true);
  });

  it('is there for the address of a server whose data is elsewhere', async () => {
    const data = join(folder, 'beside', 'postgres');
    await writeAddress(data, { origin: 'http://127.0.0.1:1', pid: process.pid, version: 'test' });
    expect(statSync(join(data, 'server.json')).isFile()).toBe(true);
  });
});
