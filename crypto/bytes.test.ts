import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, constantTimeEqual, fromBase64, fromUtf8, sha256, toBase64, utf8 } from './bytes.ts';
import { CryptoError } from './crypto-error.ts';

const refusal = (operation: () => unknown): unknown => {
  try {
    return operation();
  } catch (error) {
    return error instanceof CryptoError ? error.code : error;
  }
};

describe('base64', () => {
  it('goes both ways and agrees with the platform', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = toBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect([...fromBase64(text)]).toEqual([...bytes]);
      }),
    );
  });

  it('takes one text for the same bytes only', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ABCDwxyz0129+/='), maxLength: 12 }), (text) => {
        const bytes = refusal(() => fromBase64(text));
        if (bytes !== 'malformed') expect(toBase64(bytes as Uint8Array)).toBe(text);
      }),
    );
    for (const text of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'A A=', 'AA==\n', 'AA-_', '====']) {
      expect([text, refusal(() => fromBase64(text))]).toEqual([text, 'malformed']);
    }
  });
});

it('UTF-8 that is not well-formed is refused', () => {
  expect(fromUtf8(utf8('Tee 🍵 \u0000'))).toBe('Tee 🍵 \u0000');
  expect(refusal(() => fromUtf8(Uint8Array.of(0xc3, 0x28)))).toBe('malformed');
});

it('compares by content', () => {
  expect(constantTimeEqual(utf8('secret'), utf8('secret'))).toBe(true);
  expect(constantTimeEqual(utf8('secret'), utf8('secreT'))).toBe(false);
  expect(constantTimeEqual(utf8('secret'), utf8('secret!'))).toBe(false);
});

it('joins and hashes', async () => {
  expect(fromUtf8(concat(utf8('a'), utf8(''), utf8('bc')))).toBe('abc');
  // FIPS 180-2, appendix B.1.
  const digest = Buffer.from(await sha256(utf8('abc'))).toString('hex');
  expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
