import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base64Bytes, DeviceId } from './ids.ts';

describe('base64Bytes', () => {
  const schema = base64Bytes(4, 40);

  test('takes the base64 of any bytes within its limits and nothing beyond them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(schema.safeParse(text).success).toBe(bytes.length >= 4 && bytes.length <= 40);
      }),
    );
  });

  test('takes nothing that is not standard base64 with padding', () => {
    for (const text of ['AAAAAA', 'AAAAA===', 'AAA=AAAA', 'AAAA-_AA', 'AAAA AAA', 'AAAAAA==\n', '']) {
      expect(schema.safeParse(text).success, JSON.stringify(text)).toBe(false);
    }
  });

  test('an exact length means exactly that length', () => {
    const key = base64Bytes(33);
    for (const [length, fits] of [
      [32, false],
      [33, true],
      [34, false],
    ] as const) {
      expect(key.safeParse(Buffer.alloc(length).toString('base64')).success).toBe(fits);
    }
  });
});

test('a device id is a positive 31-bit integer', () => {
  for (const id of [1, 0x7fffffff]) expect(DeviceId.safeParse(id).success).toBe(true);
  for (const id of [0, -1, 1.5, 0x80000000, Number.NaN, '1']) expect(DeviceId.safeParse(id).success).toBe(false);
});
