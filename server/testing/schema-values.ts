import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { z } from 'zod';

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
  const { type, shape = {}, element, innerType, entries = {} } = defOf(schema);
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
    case 'enum':
      return fc.constantFrom(...Object.values(entries));
    case 'boolean':
      return fc.boolean();
    case 'number':
      return accepted(fc.constantFrom(...NUMBERS));
    case 'string':
      return accepted(fc.constantFrom(...TEXTS).map((make) => make()));
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
