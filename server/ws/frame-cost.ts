import { z } from 'zod';
import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';
import type { Method } from '../../protocol/method.ts';
import { LIMITS } from './limits.ts';

/** What a frame may have, so that reading it costs no more than its method is worth. */
export interface FrameCost {
  readonly bytes: number;
  /** Brackets, commas and colons outside strings: as many as there are values, and what holds them. */
  readonly tokens: number;
  /** Objects and arrays inside each other. */
  readonly depth: number;
}

type Schema = z.core.JSONSchema.BaseSchema;

/** What a schema does not bound. */
const UNBOUNDED: FrameCost = { bytes: 32 * 1024, tokens: 4000, depth: 12 };
/** Items of a list, or characters of a text, of which a schema does not say how many there may be. */
const UNBOUNDED_LENGTH = 512;
/** `{"id":…,"method":"…","params":…}` without the params, and room for a few spaces. */
const AROUND: FrameCost = { bytes: 512, tokens: 8, depth: 1 };
/** What costs next to nothing is read whatever the method is, so that the answer can say which field is wrong. */
export const SMALL: FrameCost = { bytes: LIMITS.headlessFrameBytes.value, tokens: 1000, depth: 16 };
/** UTF-16 code units outside ASCII, and those that JSON escapes: \u0000 is the longest. */
const BYTES_PER_CHARACTER = 6;

/** The most that a well-formed request of this method can cost, as compact JSON; computed from its schema. */
export function frameCost(method: Method): FrameCost {
  const params = costOf(z.toJSONSchema(method.params, { io: 'input', unrepresentable: 'any' }));
  return {
    bytes: Math.min(MAX_FRAME_BYTES, Math.max(SMALL.bytes, params.bytes + AROUND.bytes)),
    tokens: Math.max(SMALL.tokens, params.tokens + AROUND.tokens),
    depth: Math.max(SMALL.depth, params.depth + AROUND.depth),
  };
}

function costOf(schema: Schema): FrameCost {
  const literals = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (literals) return leaf(Math.max(...literals.map((value) => JSON.stringify(value).length)));
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return most(options.map((option) => costOf(plain(option))));
  switch (schema.type) {
    case 'object':
      return schema.properties ? objectCost(schema.properties) : UNBOUNDED;
    case 'array':
      return arrayCost(schema);
    case 'string':
      return leaf(stringBytes(schema));
    case 'integer':
    case 'number':
      return leaf(24);
    case 'boolean':
    case 'null':
      return leaf(5);
    default:
      return UNBOUNDED;
  }
}

function objectCost(properties: NonNullable<Schema['properties']>): FrameCost {
  const fields = Object.entries(properties).map(([name, value]) => ({ name, cost: costOf(plain(value)) }));
  return {
    bytes: fields.reduce((sum, { name, cost }) => sum + name.length + 4 + cost.bytes, 2),
    tokens: fields.reduce((sum, { cost }) => sum + 2 + cost.tokens, 1),
    depth: 1 + Math.max(0, ...fields.map(({ cost }) => cost.depth)),
  };
}

function arrayCost({ items, maxItems = UNBOUNDED_LENGTH }: Schema): FrameCost {
  const item = items && !Array.isArray(items) ? costOf(plain(items)) : UNBOUNDED;
  return { bytes: 2 + maxItems * (item.bytes + 1), tokens: 1 + maxItems * (item.tokens + 1), depth: 1 + item.depth };
}

function stringBytes({ format, maxLength, pattern }: Schema): number {
  if (format === 'uuid') return 38;
  const length = maxLength ?? UNBOUNDED_LENGTH;
  return 2 + length * (pattern !== undefined && isPlainAscii(pattern, length) ? 1 : BYTES_PER_CHARACTER);
}

/** Whether a pattern leaves only characters that JSON writes as one byte, as that of base64 does. */
function isPlainAscii(pattern: string, length: number): boolean {
  const expression = new RegExp(pattern, 'u');
  const lengths = new Set([1, 4, 16, Math.min(length, 64)]);
  return !['"', '\\', '\u0001', '\u00e9', '\u4e00'].some((text) =>
    [...lengths].some((count) => expression.test(text.repeat(count))),
  );
}

function leaf(bytes: number): FrameCost {
  return { bytes, tokens: 0, depth: 0 };
}

function most(costs: readonly FrameCost[]): FrameCost {
  const of = (pick: (cost: FrameCost) => number) => Math.max(...costs.map(pick));
  return { bytes: of((cost) => cost.bytes), tokens: of((cost) => cost.tokens), depth: of((cost) => cost.depth) };
}

function plain(schema: Schema | boolean): Schema {
  return typeof schema === 'boolean' ? {} : schema;
}
