import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { METHODS } from '../../protocol/contract.ts';
import { query } from '../../protocol/method.ts';
import { rightFor } from '../testing/schema-values.ts';
import { frameCost } from './frame-cost.ts';
import { readFrame, readHead } from './read-frame.ts';

test.each(METHODS.map((method) => [method.name, method] as const))(
  '%s: what is well-formed is read',
  (name, method) => {
    fc.assert(
      fc.property(rightFor(method.params), (params) => {
        const frame = Buffer.from(JSON.stringify({ id: 1, method: name, params }));
        expect(readFrame(frame, readHead(frame), frameCost(method))).toMatchObject({ id: 1, method: name });
      }),
      { numRuns: 30 },
    );
  },
);

test('the longest well-formed params fit, and not much more', () => {
  const Item = z.strictObject({ text: z.string().max(1000), number: z.int() });
  const method = query('m', { items: z.array(Item).max(50) }, z.strictObject({}));
  const frame = (count: number, text: string) => {
    const items = Array.from({ length: count }, () => ({ text, number: -Number.MAX_SAFE_INTEGER }));
    return Buffer.from(JSON.stringify({ id: 1, method: 'm', params: { items } }));
  };
  const reads = (data: Buffer) => readFrame(data, readHead(data), frameCost(method));
  // JSON writes NUL as six characters.
  expect(() => reads(frame(40, '\u0000'.repeat(1000)))).not.toThrow();
  expect(() => reads(frame(60, '\u0000'.repeat(1000)))).toThrow('longer than its method allows');
  expect(frameCost(method).tokens).toBeLessThan(1001);
});

test('base64 counts as one byte for each character', () => {
  const base64 = z
    .string()
    .max(10_000)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/);
  const cost = (text: z.ZodString) => frameCost(query('m', { text }, z.strictObject({}))).bytes;
  expect(cost(base64)).toBeLessThan(11_000);
  expect(cost(z.string().max(10_000))).toBeGreaterThan(60_000);
});

test('a frame whose head is not at its beginning is read if it is short', () => {
  const frame = Buffer.from('{"params":{},"method":"m","id":3}');
  expect(readHead(frame)).toBeNull();
  expect(readFrame(frame, null)).toEqual({ id: 3, method: 'm', params: {} });
});
