import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { precompress } from './precompress.mjs';

test('compresses what gets smaller by it, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'teahouse-precompress-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'assets'));
  const script = 'export const tea = 1;\n'.repeat(200);
  await writeFile(join(folder, 'assets/app.js'), script);
  await writeFile(join(folder, 'assets/small.js'), 'export {};');
  await writeFile(join(folder, 'assets/font.woff2'), Buffer.alloc(5000));

  await precompress(folder);

  const made = ['app.js', 'app.js.br', 'app.js.gz', 'font.woff2', 'small.js'];
  expect((await readdir(join(folder, 'assets'))).sort()).toEqual(made);
  expect(brotliDecompressSync(await readFile(join(folder, 'assets/app.js.br'))).toString()).toBe(script);
  expect(gunzipSync(await readFile(join(folder, 'assets/app.js.gz'))).toString()).toBe(script);
});
