import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'svelte/compiler';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../renderer/', import.meta.url));

interface Node {
  readonly type: string;
  readonly name?: string;
  readonly data?: string;
  readonly start: number;
  readonly body?: { readonly nodes: readonly Node[] };
}

function eachBlocksIn(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(eachBlocksIn);
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(eachBlocksIn);
  return 'type' in value && value.type === 'EachBlock' ? [value as Node, ...inside] : inside;
}

/** One entry in a `Contained`, or a comment that says why it needs none. */
function isContained({ body }: Node): boolean {
  const nodes = (body?.nodes ?? []).filter((node) => node.type !== 'Text' || node.data?.trim() !== '');
  if (nodes[0]?.type === 'Comment') return /^ not contained: \S/.test(nodes[0].data ?? '');
  return nodes.length === 1 && nodes[0]?.type === 'Component' && nodes[0].name === 'Contained';
}

/** The lines of the `{#each}` blocks whose entries could take the page down. */
function uncontained(source: string): number[] {
  const blocks = eachBlocksIn(parse(source, { modern: true }).fragment);
  return blocks.filter((block) => !isContained(block)).map(({ start }) => source.slice(0, start).split('\n').length);
}

describe('every {#each} in the interface', () => {
  const files = globSync('**/*.svelte', { cwd: root }).sort();

  test('is found', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(uncontained('<ul>\n{#each [1] as one}\n<li>{one}</li>{/each}</ul>')).toEqual([2]);
    expect(uncontained('{#each [1] as one}<!-- not contained: ours -->{one}{/each}')).toEqual([]);
    expect(uncontained('{#each [1] as one}<Contained>{one}</Contained>{one}{/each}')).toEqual([1]);
  });

  test.each(files)('of %s contains its entries, or says why not', (file) => {
    expect(uncontained(readFileSync(`${root}${file}`, 'utf8'))).toEqual([]);
  });
});
