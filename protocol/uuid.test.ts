import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdempotencyId } from './ids.ts';
import { uuidV7 } from './uuid.ts';

/** RFC 9562 appendix A.6. */
it('writes the example of RFC 9562', () => {
  const random = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f);
  expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

it('is a UUID for every time and every random bytes, and sorts by time', () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(time, time, random, random, (one, two, a, b) => {
      const [first, second] = [uuidV7(one, a), uuidV7(two, b)];
      expect(IdempotencyId.safeParse(first).success).toBe(true);
      if (one < two) expect(first < second).toBe(true);
    }),
  );
});

it('refuses too few random bytes', () => {
  expect(() => uuidV7(0, new Uint8Array(9))).toThrow(RangeError);
});
