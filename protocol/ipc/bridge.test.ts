import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BRIDGE_CALLS, BRIDGE_EVENTS, BridgeAnswer, MAX_SECRET_BYTES } from './bridge.ts';

const schemas = [
  ...Object.entries(BRIDGE_CALLS).flatMap(([name, call]) => [
    [`params of ${name}`, call.params] as const,
    [`result of ${name}`, call.result] as const,
  ]),
  ...Object.entries(BRIDGE_EVENTS).map(([name, schema]) => [`params of ${name}`, schema] as const),
];

describe('the bridge', () => {
  it.each(schemas)('takes no unknown field: %s', (_name, schema) => {
    const parsed = schema.safeParse({ surprise: 1 });
    expect(parsed.error?.issues.some(({ code }) => code === 'unrecognized_keys')).toBe(true);
  });

  it.each(schemas)('bears any value: %s', (_name, schema) => {
    fc.assert(fc.property(fc.anything(), (value) => void schema.safeParse(value)));
  });

  it('takes secrets as bytes within bounds, and nothing that only looks like bytes', () => {
    const { params } = BRIDGE_CALLS.sealSecret;
    expect(params.safeParse({ plain: new Uint8Array(32) }).success).toBe(true);
    expect(params.safeParse({ plain: new Uint8Array(MAX_SECRET_BYTES) }).success).toBe(true);
    for (const plain of [new Uint8Array(), new Uint8Array(MAX_SECRET_BYTES + 1), [1, 2], 'abc', { length: 4 }, null]) {
      expect(params.safeParse({ plain }).success).toBe(false);
    }
  });

  it('takes words of people without characters that turn or break a line of text', () => {
    const { params } = BRIDGE_CALLS.notify;
    const notify = (title: string) => params.safeParse({ tag: 't', title, body: '' }).success;
    expect(['Åsa', 'two\nlines', '茶馆', '🍵', ''].map(notify)).toEqual([true, true, true, true, true]);
    expect(['a\0', '\u202eevil', 'bell\x07', 'x'.repeat(201)].map(notify)).toEqual([false, false, false, false]);
  });

  it('answers with a result or a known code', () => {
    expect(BridgeAnswer.safeParse({ ok: true, result: {} }).success).toBe(true);
    expect(BridgeAnswer.safeParse({ ok: false, error: { code: 'call_unknown', message: '' } }).success).toBe(true);
    expect(BridgeAnswer.safeParse({ ok: false, error: { code: 'anything', message: '' } }).success).toBe(false);
    expect(BridgeAnswer.safeParse({ ok: true, result: {}, error: {} }).success).toBe(false);
  });
});
