import { delimiter } from 'node:path';
import { expect, test } from 'vitest';
import { findChromium } from './chromium.mjs';
import { hasDisplay } from './electron.mjs';
import { isNewEnough, systemEnvironment, toolEnvironment } from './node24.mjs';
import { cacheFolder } from './paths.mjs';
import { run } from './run.mjs';
import { duration } from './say.mjs';
import { addressOnLine } from './server-output.mjs';

test('the address that the server prints, and nothing else', () => {
  expect(addressOnLine('Teahouse is at http://localhost:8420')).toBe('http://localhost:8420');
  expect(addressOnLine('  http://localhost:8420/#/join/secret')).toBeUndefined();
  expect(addressOnLine('{"msg":"Teahouse is at http://elsewhere"}')).toBeUndefined();
});

test('npm runs on the system’s Node, the project’s tools on its own', () => {
  const path = ['/clone/node_modules/.bin', '/usr/bin', '/node_modules/.bin', '/opt/node_modules/x'].join(delimiter);
  expect(systemEnvironment({ PATH: path })['PATH']).toBe(['/usr/bin', '/opt/node_modules/x'].join(delimiter));
  expect(toolEnvironment({ PATH: '/usr/bin' })['PATH']).toMatch(/node_modules[\\/]\.bin.*usr/);
});

test('which Node is new enough', () => {
  expect(['18.20.4', '20.20.2', '24.0.0', '25.1.0'].map(isNewEnough)).toEqual([false, false, true, true]);
});

test('the cache folder of each system', () => {
  expect(cacheFolder({ HOME: '/home/ada' }, 'linux')).toBe('/home/ada/.cache/teahouse');
  expect(cacheFolder({ HOME: '/home/ada', XDG_CACHE_HOME: '/fast' }, 'linux')).toBe('/fast/teahouse');
  expect(cacheFolder({ HOME: '/Users/ada' }, 'darwin')).toBe('/Users/ada/Library/Caches/teahouse');
  expect(cacheFolder({ LOCALAPPDATA: 'C:/ada' }, 'win32')).toContain('teahouse');
});

test('a Chromium that is named wins, and one that cannot be run is none', () => {
  expect(findChromium({ CHROMIUM_BIN: process.execPath, PATH: '' })).toBe(process.execPath);
  expect(findChromium({ CHROMIUM_BIN: '/nowhere/chromium', PATH: '/usr/bin' })).toBeUndefined();
});

test('where a window can be shown', () => {
  expect(hasDisplay({}, 'linux')).toBe(false);
  expect(hasDisplay({ DISPLAY: ':0' }, 'linux')).toBe(true);
  expect(hasDisplay({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toBe(true);
  expect(hasDisplay({}, 'darwin')).toBe(true);
});

test('durations for people', () => {
  expect([40, 1_949, 59_900, 125_000].map(duration)).toEqual(['0.0 s', '1.9 s', '59.9 s', '2 min 5 s']);
});

test('a program’s lines as they come, and an excerpt of them when it fails', async () => {
  const lines: string[] = [];
  const script = "console.log('one'); console.error('two'); process.exit(3)";
  const failed = run(process.execPath, ['-e', script], { onLine: (line) => lines.push(line) });
  await expect(failed).rejects.toThrow(/ended with code 3/);
  await expect(failed).rejects.toHaveProperty('excerpt', expect.stringContaining('two'));
  expect(lines.sort()).toEqual(['one', 'two']);
});

test('the excerpt of a long output has its start and its end', async () => {
  const script = 'for (let i = 1; i <= 100; i++) console.log("line " + i); process.exit(1)';
  const error: unknown = await run(process.execPath, ['-e', script]).catch((reason: unknown) => reason);
  expect(error).toHaveProperty('excerpt', expect.stringMatching(/^line 1\n[\s\S]*\n…\n[\s\S]*line 100$/));
  expect(error).toHaveProperty('excerpt', expect.not.stringContaining('line 50'));
});

test('a program that does not end in time, or does not exist', async () => {
  await expect(run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeout: 200 })).rejects.toThrow(
    /SIGKILL/,
  );
  await expect(run('no-such-program-here', [])).rejects.toThrow(/could not be started/);
});
