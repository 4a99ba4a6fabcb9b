import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { z } from 'zod';

export interface Field {
  readonly path: readonly (string | number)[];
  readonly schema: z.ZodType;
}

/** The parts of a zod schema's definition that are walked here. */
interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly options?: readonly z.ZodType[];
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly getter?: () => z.ZodType;
}
const defOf = (schema: z.ZodType) => schema.def as unknown as Def;

/** Every field of a schema, those inside objects and arrays too. */
export function fieldsOf(schema: z.ZodType, path: Field['path'] = []): Field[] {
  const { type, shape = {}, element, innerType } = defOf(schema);
  const self = path.length === 0 ? [] : [{ path, schema }];
  if (type === 'object')
    return [...self, ...Object.entries(shape).flatMap(([name, field]) => fieldsOf(field, [...path, name]))];
  if (type === 'array' && element) return [...self, ...fieldsOf(element, [...path, 0])];
  if ((type === 'optional' || type === 'nullable') && innerType) {
    return [...self, ...fieldsOf(innerType, path).filter((field) => field.path.length > path.length)];
  }
  return self;
}

/** Every text in a schema, whatever stands around it; in a choice that of each option. */
export function textsOf(schema: z.ZodType, path: Field['path'] = [], within: readonly z.ZodType[] = []): Field[] {
  const def = defOf(schema);
  if (def.type === 'string') return [{ path, schema }];
  // What holds itself.
  if (within.includes(schema)) return [];
  const { shape = {}, options = [], element, innerType, keyType, valueType, in: from, out, left, right, getter } = def;
  const unnamed = [...options, innerType, from, out, left, right, getter?.()].filter((part) => part !== undefined);
  const named = [...Object.entries(shape), ['0', element], ['key', keyType], ['value', valueType]] as const;
  return [
    ...unnamed.flatMap((part) => textsOf(part, path, [...within, schema])),
    ...named.flatMap(([name, part]) => (part ? textsOf(part, [...path, name], [...within, schema]) : [])),
  ];
}

/** JSON values that a schema refuses. */
export function wrongFor(schema: z.ZodType): fc.Arbitrary<unknown> {
  const odd = fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    0.5,
    1e300,
    '',
    'x',
    [],
    {},
    [null],
    { x: 1 },
    '\u0000',
    '😀'.repeat(400),
  );
  return fc.oneof(odd, fc.jsonValue({ maxDepth: 2 })).filter((value) => !schema.safeParse(value).success);
}

const TEXTS: readonly (() => string)[] = [
  () => randomUUID(),
  () => randomBytes(32).toString('base64url'),
  ...[1, 29, 32, 33, 60, 64, 200].map((size) => () => randomBytes(size).toString('base64')),
  () => 'ada.lovelace',
  () => 'correct horse battery',
  () => '',
];
const NUMBERS = [0, 1, 2, 3, 20, 100, 500, 0x3fff, 0x7fffffff, 1_700_000_000_000, Number.MAX_SAFE_INTEGER];

/** JSON values that a schema accepts. */
export function rightFor(schema: z.ZodType): fc.Arbitrary<unknown> {
  const { type, shape = {}, element, innerType, options, entries = {}, values = [] } = defOf(schema);
  const accepted = <T>(values: fc.Arbitrary<T>) => values.filter((value) => schema.safeParse(value).success);
  switch (type) {
    case 'object':
      return fc.record(Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, rightFor(field)])));
    case 'array':
      return accepted(fc.array(element ? rightFor(element) : fc.constant(null), { minLength: 1, maxLength: 3 }));
    case 'optional':
      return innerType ? fc.option(rightFor(innerType), { nil: undefined }) : fc.constant(undefined);
    case 'nullable':
      return innerType ? fc.option(rightFor(innerType), { nil: null }) : fc.constant(null);
    case 'literal':
      return fc.constantFrom(...values);
    case 'enum':
      return fc.constantFrom(...Object.values(entries));
    case 'boolean':
      return fc.boolean();
    case 'number':
      return accepted(fc.constantFrom(...NUMBERS));
    case 'string':
      return accepted(textFor(schema));
    case 'record':
      return accepted(
        fc.dictionary(fc.constantFrom('minptime', 'apt', 'x'), fc.constantFrom(0, 10, '1'), { maxKeys: 3 }),
      );
    case 'union':
      return fc.oneof(...(options ?? []).map(rightFor));
    default:
      return accepted(
        fc.dictionary(
          fc.constantFrom('codecs', 'headerExtensions', 'fingerprints', 'role', 'x'),
          fc.jsonValue({ maxDepth: 2 }),
          { maxKeys: 3 },
        ),
      );
  }
}

/** The usual texts, where the schema takes any of them; else what its pattern says. A filter that nothing passes never ends. */
function textFor(schema: z.ZodType): fc.Arbitrary<string> {
  const usual = TEXTS.filter((make) => schema.safeParse(make()).success);
  if (usual.length > 0) return fc.constantFrom(...usual).map((make) => make());
  const { pattern } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (pattern === undefined) throw new Error('no text is known that this schema takes');
  return fc.stringMatching(new RegExp(pattern));
}

/** A copy of `value` in which `path` holds `leaf`; objects and arrays on the way are made. */
export function withValue(value: unknown, [name, ...rest]: Field['path'], leaf: unknown): unknown {
  if (name === undefined) return leaf;
  if (typeof name === 'number') {
    const list = Array.isArray(value) ? [...(value as unknown[])] : [];
    list[name] = withValue(list[name], rest, leaf);
    return list;
  }
  const object =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  return { ...object, [name]: withValue(object[name], rest, leaf) };
}

/** Ids that are somebody's, so that a method may find them. */
export interface OthersIds {
  readonly userId: string;
  readonly deviceId: number;
}

const NUMBER_EXTREMES = [
  -1,
  -0,
  0,
  0.1,
  1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  8.64e15,
  8.64e15 + 1,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 1,
  -Number.MAX_SAFE_INTEGER,
  1e308,
];

const TEXT_EXTREMES = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udc00x',
  '\u202e\u2066x',
  '\r\nX: y',
  '\u001b[2J',
  '\ufeff',
  '\u{e0001}',
  '../../etc/passwd',
  "' or 1=1 --",
  '%00',
  '__proto__',
  'constructor',
  'toString',
  '\u0301'.repeat(200),
  '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}',
  '<img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF',
];

/** Nothing that a schema would ask for; each is put in place of every field. */
const SHAPES: readonly unknown[] = [
  null,
  [],
  {},
  JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'),
  nested(8),
];

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { x: [nested(depth - 1)] };
}

/** The extremes of one field's schema: of its type, at its bounds and just over them, and of other types. */
export function extremesFor(schema: z.ZodType, right: unknown, others: OthersIds): unknown[] {
  const bounds = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (typeof right === 'number') {
    const { minimum = 0, maximum = 0 } = bounds;
    return [...NUMBER_EXTREMES, minimum - 1, minimum, maximum, maximum + 1, others.deviceId, ...SHAPES];
  }
  if (typeof right === 'string') {
    const longest = Math.min(bounds.maxLength ?? 1000, 100_000);
    const sized = ['x', 'A', '\u4e00', '\u0000'].flatMap((text) => [text.repeat(longest), text.repeat(longest + 1)]);
    return [...TEXT_EXTREMES, ...sized, right.toUpperCase(), others.userId, randomUUID(), ...SHAPES];
  }
  if (Array.isArray(right)) {
    const longest = Math.min(bounds.maxItems ?? 2000, 2000);
    const filled = (count: number) => Array.from({ length: count }, () => right[0] as unknown);
    return [[], filled(longest), filled(longest + 1), [null], [[]], nested(8), ...SHAPES];
  }
  return [...SHAPES, true, false, 0, ''];
}

/** What stands at a path; undefined if nothing does. */
export function valueAt(value: unknown, path: Field['path']): unknown {
  return path.reduce<unknown>((inner, name) => (inner as Record<string | number, unknown> | undefined)?.[name], value);
}
