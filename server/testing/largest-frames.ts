import fc from 'fast-check';
import { z } from 'zod';
import type { Method } from '../../protocol/method.ts';
import { frameCost } from '../ws/frame-cost.ts';
import { fieldsOf, rightFor, valueAt, withValue, type Field } from './schema-values.ts';

/** A request of a method: params as JSON text. */
export interface Ask {
  readonly method: string;
  readonly params: string;
}

/** Bytes of a frame around its params, at most. */
const AROUND_BYTES = 300;

/** As it should be, and as short as it comes. */
export function smallAsk(method: Method): Ask {
  const samples = fc.sample(rightFor(method.params), 8).map((params) => JSON.stringify(params));
  return { method: method.name, params: samples.toSorted((a, b) => a.length - b.length)[0] ?? '{}' };
}

/** What the method takes, with lists and texts as long as its schema and its frame allow. */
export function largestAsk(method: Method): Ask {
  return { method: method.name, params: JSON.stringify(largestParams(method)) };
}

/** The same, of which the last part of the longest list, or else the last field, is wrong: it is read to the end first. */
export function wrongInTheEnd(method: Method): Ask {
  const params = largestParams(method);
  const fields = fieldsOf(method.params);
  const lengthOf = ({ path }: Field) => JSON.stringify(valueAt(params, path) ?? null).length;
  const lists = fields.filter(({ path }) => Array.isArray(valueAt(params, path)));
  const [longest] = lists.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  const list = longest ? (valueAt(params, longest.path) as unknown[]) : [];
  const path = longest ? [...longest.path, list.length - 1] : (fields.at(-1)?.path ?? ['x']);
  return { method: method.name, params: JSON.stringify(withValue(params, path, null)) };
}

/** A frame of the method’s length that is nothing but parts. */
export function mostParts(method: Method): Ask {
  const room = frameCost(method).bytes - AROUND_BYTES;
  return { method: method.name, params: `{"x":[${'[0],'.repeat(room / 4)}0]}` };
}

function largestParams({ params: schema, ...method }: Method): unknown {
  const room = frameCost({ params: schema, ...method } as Method).bytes - AROUND_BYTES;
  const fits = (value: unknown) => schema.safeParse(value).success && Buffer.byteLength(JSON.stringify(value)) <= room;
  // What is inside others grows first: a list is then filled with what is as large as it may be.
  const deepestFirst = fieldsOf(schema).toSorted((a, b) => b.path.length - a.path.length);
  let largest = fullest(schema);
  for (const field of deepestFirst) {
    for (const length of lengths(field.schema)) {
      const grown = grow(valueAt(largest, field.path), length);
      if (grown === undefined) break;
      const tried = withValue(largest, field.path, grown);
      if (!fits(tried)) continue;
      largest = tried;
      break;
    }
  }
  return largest;
}

/** Of several, the one that leaves out least. */
function fullest(schema: z.ZodType): unknown {
  const samples = fc.sample(rightFor(schema), 8).map((value) => ({ value, length: JSON.stringify(value).length }));
  return samples.toSorted((a, b) => b.length - a.length)[0]?.value;
}

/** What the schema allows at most; then less and less, from what the longest frame has room for. */
function* lengths(schema: z.ZodType): Generator<number> {
  const { maxLength, maxItems } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const most = maxItems ?? maxLength;
  if (most !== undefined) yield most;
  for (let length = 256 * 1024; length > 4; length = Math.floor(length * 0.8)) yield length;
}

/** Undefined if it has no length, or is longer already. */
function grow(there: unknown, length: number): unknown {
  if (typeof there === 'string' && there.length < length) return 'A'.repeat(length - (length % 4));
  if (!Array.isArray(there) || there.length === 0 || there.length >= length) return undefined;
  return Array.from({ length }, () => there[0] as unknown);
}
