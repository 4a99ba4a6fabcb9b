import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { electronProblem } from './electron-download.mjs';
import { inRoot } from './paths.mjs';

const { devDependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as {
  devDependencies: { electron: string };
};
/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9/';

let cache: string;
beforeEach(() => void (cache = mkdtempSync(join(tmpdir(), 'electron-cache-'))));
afterEach(() => rmSync(cache, { recursive: true }));

it('says what is missing where Electron is neither here nor to be had', async () => {
  const problem = await electronProblem({ electron_config_cache: cache, ELECTRON_MIRROR: NOWHERE });
  expect(problem).toContain(`Electron ${devDependencies.electron}`);
  expect(problem).toContain('127.0.0.1:9');
});

it('is content with a download that was kept, one that can be had, and a proxy that may know the way', async () => {
  const host = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(host, 'listening');
  const mirror = `http://127.0.0.1:${(host.address() as AddressInfo).port}/`;
  expect(await electronProblem({ electron_config_cache: cache, ELECTRON_MIRROR: mirror })).toBeUndefined();
  host.close();
  const proxied = { electron_config_cache: cache, ELECTRON_MIRROR: NOWHERE, HTTPS_PROXY: 'http://127.0.0.1:9' };
  expect(await electronProblem(proxied)).toBeUndefined();
  mkdirSync(join(cache, 'a1b2'));
  writeFileSync(join(cache, 'a1b2', `electron-v${devDependencies.electron}-linux-x64.zip`), '');
  expect(await electronProblem({ electron_config_cache: cache, ELECTRON_MIRROR: NOWHERE })).toBeUndefined();
});

it('ends npm run package at once, in words, and with what can be built', () => {
  const env = { PATH: process.env['PATH'], HOME: cache, electron_config_cache: cache, ELECTRON_MIRROR: NOWHERE };
  const { status, stderr } = spawnSync(process.execPath, [inRoot('scripts', 'package.mjs')], {
    env,
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain('npm run build');
});
