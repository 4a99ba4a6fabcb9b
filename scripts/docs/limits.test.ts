import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { METHODS } from '../../protocol/contract.ts';
import { render } from './limits.ts';

test('docs/limits.md is what the limits say', async () => {
  expect(await readFile(new URL('../../docs/limits.md', import.meta.url), 'utf8')).toBe(await render());
});

test('every method has its limits there', async () => {
  const text = await render();
  for (const { name } of METHODS) expect(text).toContain(`| \`${name}\` | `);
});

test('every folder’s limits are there, each with its reason', async () => {
  const text = await render();
  for (const folder of ['server/http', 'server/store', 'server/ws']) expect(text).toContain(`## ${folder}`);
  expect(text).not.toContain('undefined');
});
