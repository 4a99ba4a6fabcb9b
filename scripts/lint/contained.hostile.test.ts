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
  readonly end: number;
  readonly body?: { readonly nodes: readonly Node[] };
  readonly expression?: Expression;
  readonly index?: string;
  readonly key?: Expression;
}

interface Expression {
  readonly type: string;
  readonly name?: string;
  readonly start: number;
  readonly end: number;
  readonly callee?: Expression;
  readonly arguments?: readonly Expression[];
  readonly body?: Expression;
}

interface Declarator {
  readonly type: string;
  readonly id?: Expression;
  readonly init?: Expression | null;
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
  return linesOf(source, isContained);
}

/**
 * The lines of the `{#each}` blocks that throw, outside of every entry, when two entries have one key. A key is safe if it
 * is the index, if the comment says that the entries are our own, or if the list went through `unique` by that very key:
 * right there, or in the `$derived` that has the list's name.
 */
function repeatable(source: string): number[] {
  const text = ({ start, end }: Expression) => source.slice(start, end);
  const derived = declaratorsIn(parse(source, { modern: true }).instance);
  const isUnique = (list: Expression | undefined, key: string): boolean => {
    if (list?.type === 'Identifier') {
      const init = derived.find(({ id }) => id?.name === list.name)?.init;
      return init?.callee?.name === '$derived' && isUnique(init.arguments?.[0], key);
    }
    const by = list?.callee?.name === 'unique' ? list.arguments?.[1] : undefined;
    return by?.body !== undefined && text(by.body) === key;
  };
  return linesOf(source, (block) => {
    if (block.key === undefined || text(block.key) === block.index) return true;
    return isOurOwn(block) || isUnique(block.expression, text(block.key));
  });
}

function isOurOwn({ body }: Node): boolean {
  return (body?.nodes ?? []).some(({ type, data = '' }) => type === 'Comment' && data.endsWith(' of our own '));
}

function declaratorsIn(value: unknown): Declarator[] {
  if (Array.isArray(value)) return value.flatMap(declaratorsIn);
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(declaratorsIn);
  return 'type' in value && value.type === 'VariableDeclarator' ? [value as Declarator, ...inside] : inside;
}

function linesOf(source: string, isRight: (block: Node) => boolean): number[] {
  const blocks = eachBlocksIn(parse(source, { modern: true }).fragment);
  return blocks.filter((block) => !isRight(block)).map(({ start }) => source.slice(0, start).split('\n').length);
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

  test('is seen to have a key that a list could hold twice', () => {
    const script = '<script>const shown = $derived(unique(a, (one) => one.id)); const other = $derived(a);</script>';
    const each = (head: string, entry = '{one.id}') => repeatable(`${script}\n{#each ${head}}${entry}{/each}`);
    expect(each('a as one (one.id)')).toEqual([2]);
    expect(each('other as one (one.id)')).toEqual([2]);
    expect(each('unique(a, (one) => one.at) as one (one.id)')).toEqual([2]);
    expect(each('shown as one (one.at)')).toEqual([2]);
    expect(each('a as one (one.id)', '<!-- not contained: plain text -->{one.id}')).toEqual([2]);
    expect(each('a as one (one.id)', '<!-- not contained: two of our own -->{one.id}')).toEqual([]);
    expect(each('a as one, index (index)')).toEqual([]);
    expect(each('a as one')).toEqual([]);
    expect(each('shown as one (one.id)')).toEqual([]);
    expect(each('unique(a, ({ id }) => id) as { id } (id)')).toEqual([]);
  });

  test.each(files)('of %s can be given the same thing twice', (file) => {
    expect(repeatable(readFileSync(`${root}${file}`, 'utf8'))).toEqual([]);
  });
});
