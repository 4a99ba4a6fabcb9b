import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { EVENTS, METHODS } from './contract.ts';
import { EventFrame, RequestFrame, ServerFrame } from './frames.ts';

test('names are unique and say their module', () => {
  const names = [...METHODS, ...EVENTS].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names.filter((one) => one !== 'hello' && one !== 'ping'))
    expect(name).toMatch(/^(accounts|calls|chat|contacts|devices|stream)\.[a-zA-Z]+$/);
});

test('whatever changes something and is not harmless to repeat carries an idempotency id', () => {
  for (const { name, effect, params } of METHODS) {
    expect('idempotencyId' in (params as z.ZodObject).shape, name).toBe(effect === 'keyed');
  }
});

test('no schema takes a field that it does not know', () => {
  for (const { name, params } of [...METHODS, ...EVENTS]) {
    const issues = (params as z.ZodObject).safeParse({ unheardOf: 1 }).error?.issues ?? [];
    expect(
      issues.some(({ code }) => code === 'unrecognized_keys'),
      name,
    ).toBe(true);
  }
});

test('no schema throws, takes the wrong kind of thing, or repeats what it was given', () => {
  const secret = 'do-not-repeat-me';
  const notParams = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.array(fc.jsonValue()),
    fc.constant({ [secret]: secret }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...METHODS), notParams, ({ params }, value) => {
      const parsed = params.safeParse(value);
      if (parsed.success) expect(Object.keys(value as object)).toEqual([]);
      else
        expect(
          JSON.stringify(parsed.error.issues.map(({ message, path }) => ({ message, path }))).includes(`:"${secret}"`),
        ).toBe(false);
    }),
  );
});

test('frames are told apart by their shape', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1 }), (params, number) => {
      expect(RequestFrame.safeParse({ id: number, method: 'hello', params }).success).toBe(true);
      expect(ServerFrame.parse({ event: 'calls.ended', params, seq: number })).toEqual(
        EventFrame.parse({ event: 'calls.ended', params, seq: number }),
      );
      expect(ServerFrame.safeParse({ id: number, result: params, error: params }).success).toBe(false);
    }),
  );
});
