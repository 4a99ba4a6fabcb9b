import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { EVENTS, METHODS } from '../../protocol/contract.ts';
import { render } from './protocol.ts';
import { typeText } from './type-text.ts';

test('docs/protocol.md is what the schemas say', async () => {
  expect(await readFile(new URL('../../docs/protocol.md', import.meta.url), 'utf8')).toBe(await render());
});

test('every method and event has its heading', async () => {
  const text = await render();
  for (const { name } of [...METHODS, ...EVENTS]) expect(text).toContain(`### \`${name}\``);
});

test('types read as TypeScript, with limits as comments', () => {
  expect(typeText({ type: 'array', items: { enum: ['a', 'b'] }, maxItems: 4 })).toBe('("a" | "b")[] /* ≤ 4 items */');
  expect(typeText({ type: 'object', properties: { n: { type: 'integer', minimum: 1 } } })).toBe(
    '{\n  n?: number /* ≥ 1 */;\n}',
  );
});
