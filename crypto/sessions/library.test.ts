import { crypto as primitives } from '@privacyresearch/libsignal-protocol-typescript/lib/internal/crypto.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomBytes } from '../bytes.ts';
import { codeOf } from '../testing/party.ts';
import './library.ts';

const bytes = (length: { minLength: number; maxLength: number }) =>
  fc.uint8Array(length).map((array) => new Uint8Array(array));

it('encrypts and decrypts as WebCrypto does (AES-256-CBC with PKCS #7 padding)', async () => {
  const key = bytes({ minLength: 32, maxLength: 32 });
  const iv = bytes({ minLength: 16, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(key, iv, bytes({ minLength: 0, maxLength: 100 }), async (secret, start, data) => {
      const theirs = await crypto.subtle.importKey('raw', secret, 'AES-CBC', false, ['encrypt']);
      const expected = await crypto.subtle.encrypt({ name: 'AES-CBC', iv: start }, theirs, data);
      const ours = await primitives.encrypt(secret.buffer, data.buffer, start.buffer);
      expect(new Uint8Array(ours)).toEqual(new Uint8Array(expected));
      expect(new Uint8Array(await primitives.decrypt(secret.buffer, ours, start.buffer))).toEqual(data);
    }),
  );
});

it('refuses by a code what is no ciphertext of that key', async () => {
  const [key, iv] = [randomBytes(32).buffer, randomBytes(16).buffer];
  for (const length of [0, 15, 17]) {
    expect(await codeOf(primitives.decrypt(key, new ArrayBuffer(length), iv))).toBe('tampered');
  }
  const sealed = await primitives.encrypt(key, randomBytes(20).buffer, iv);
  // A right padding appears by chance with one key in 256: not with all of these.
  const others = Array.from({ length: 8 }, () => codeOf(primitives.decrypt(randomBytes(32).buffer, sealed, iv)));
  expect(await Promise.all(others)).toContain('tampered');
});
