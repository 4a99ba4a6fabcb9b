import type { z } from 'zod';

/** Unbroken, of every script and direction, with and without width; and what other software stumbles over. */
const TEXTS = [
  'x',
  'W'.repeat(10_000),
  'word '.repeat(2_000),
  '漢'.repeat(10_000),
  'שלום'.repeat(2_500),
  '\u202eevil\u202c'.repeat(1_600),
  '\u2066\u2067\u2068'.repeat(3_000),
  '😀👨‍👩‍👧‍👦'.repeat(700),
  `a${'\u0301'.repeat(9_999)}`,
  '\u0000\u0001\u0007\u001b\u007f\u0085'.repeat(1_000),
  '\n'.repeat(10_000),
  '\u200b\ufeff\u00ad'.repeat(3_000),
  '\ud83d'.repeat(10_000),
  '<img src=x onerror="throw 1"><script>throw 2</script>{@html x}',
  'https://a/'.repeat(1_000),
  'https://example.org/'.concat('x'.repeat(1_900)),
  'http://a '.repeat(1_100),
  '__proto__',
] as const;

/** Also what no schema of today allows: a database may hold what an earlier one did. */
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  2 ** 31,
  7_258_118_400_000,
  8.64e15,
  8.64e15 + 2,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
] as const;

/** Of the forms that ids and user names must have. */
const IDS = [
  '9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001',
  '9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002',
  'ada',
  'w'.repeat(32),
  `a${'._-'.repeat(10)}z`,
] as const;

interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
}

/**
 * Every extreme value of a schema, for each of its fields one after the other: the others keep their first. So the number
 * of values grows with the number of fields, and a new field or kind is covered as soon as it is in the schema.
 */
export function extremesOf(schema: z.ZodType): readonly unknown[] {
  const { type, shape, options = [], element, innerType, entries = {}, values = [] } = schema.def as unknown as Def;
  switch (type) {
    case 'object':
      return objectsOf(shape ?? {});
    case 'union':
      return options.flatMap((option) => extremesOf(option));
    case 'array': {
      const items = element ? extremesOf(element) : [];
      return [items.slice(0, 1), [], items.slice(0, 8)];
    }
    case 'optional':
      return innerType ? [...extremesOf(innerType), undefined] : [];
    case 'nullable':
      return innerType ? [...extremesOf(innerType), null] : [];
    case 'enum':
      return Object.values(entries);
    case 'literal':
      return values;
    case 'boolean':
      return [false, true];
    case 'number':
    case 'int':
      return NUMBERS;
    case 'string':
      return textsOf(schema as z.ZodString);
    default:
      return [{}];
  }
}

function objectsOf(shape: Readonly<Record<string, z.ZodType>>): readonly Record<string, unknown>[] {
  const fields = Object.entries(shape).map(([name, field]) => [name, extremesOf(field)] as const);
  const first = Object.fromEntries(fields.map(([name, values]) => [name, values[0]]));
  return [first, ...fields.flatMap(([name, values]) => values.slice(1).map((value) => ({ ...first, [name]: value })))];
}

/** As long as the schema allows, and what of them it takes; for ids and the like, which take none, some of that form. */
function textsOf(schema: z.ZodString): readonly string[] {
  const longest = schema.maxLength ?? 10_000;
  const texts = ['', ...TEXTS.map((text) => text.slice(0, longest)), ...IDS];
  return texts.filter((text) => schema.safeParse(text).success);
}
