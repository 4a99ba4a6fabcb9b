import { expect, test } from 'vitest';
import { chooseParts } from './test-parts.mjs';

function chosen(...args: string[]) {
  const choice = chooseParts(args);
  return 'problem' in choice ? choice.problem : { parts: choice.parts.map(({ name }) => name), rest: choice.rest };
}

test('everything by default, what is quick first', () => {
  expect(chosen()).toEqual({ parts: ['format', 'lint', 'types', 'unit', 'build', 'e2e'], rest: [] });
});

test('some parts, in their own order', () => {
  expect(chosen('types', 'lint')).toEqual({ parts: ['lint', 'types'], rest: [] });
});

test('arguments for the runner of one part', () => {
  expect(chosen('unit', 'server/store', '-t', 'migrates')).toEqual({
    parts: ['unit'],
    rest: ['server/store', '-t', 'migrates'],
  });
});

test('the attacks alone, which the other parts contain', () => {
  expect(chosen('hostile')).toEqual({ parts: ['hostile'], rest: [] });
});

test('arguments that no runner would take', () => {
  expect(chosen('uint')).toContain('"uint"');
  expect(chosen('lint', '--fix')).toContain('"--fix"');
  expect(chosen('unit', 'e2e', 'chat')).toContain('"chat"');
});
