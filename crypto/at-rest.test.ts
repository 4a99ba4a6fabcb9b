import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { generateRecordKey, importRecordKey, openBytes, openRecord, sealBytes, sealRecord } from './at-rest.ts';
import { fromUtf8, randomBytes, utf8 } from './bytes.ts';
import { codeOf } from './testing/party.ts';

const place = { table: 'messages', key: '1' };
let key: CryptoKey;
beforeAll(async () => {
  key = await generateRecordKey();
});

it('gives back any JSON value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const sealed = await sealRecord(key, place, value);
      expect(await openRecord(key, place, sealed)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(await codeOf(sealRecord(key, place, undefined))).toBe('malformed');
});

it('hides the value and never seals twice alike', async () => {
  const sealed = await sealRecord(key, place, 'plain words');
  expect(Buffer.from(sealed).includes('plain words')).toBe(false);
  expect(sealed).not.toEqual(await sealRecord(key, place, 'plain words'));
});

it('opens only unaltered, in its own place, with its own key', async () => {
  const sealed = await sealBytes(key, place, utf8('ledger'));
  expect(fromUtf8(await openBytes(key, place, sealed))).toBe('ledger');
  for (let i = 0; i < sealed.byteLength; i++) {
    const flipped = sealed.slice();
    flipped[i]! ^= 1;
    expect(await codeOf(openBytes(key, place, flipped))).toBe('tampered');
  }
  expect(await codeOf(openBytes(key, place, sealed.slice(0, 27)))).toBe('tampered');
  expect(await codeOf(openBytes(key, { ...place, key: '2' }, sealed))).toBe('tampered');
  expect(await codeOf(openBytes(key, { table: 'messages","1', key: '' }, sealed))).toBe('tampered');
  expect(await codeOf(openBytes(await generateRecordKey(), place, sealed))).toBe('tampered');
});

it('takes a key kept elsewhere, which then cannot be read out', async () => {
  const secret = randomBytes(32);
  const sealed = await sealRecord(await importRecordKey(secret), place, 1);
  expect(await openRecord(await importRecordKey(secret), place, sealed)).toBe(1);
  expect((await importRecordKey(secret)).extractable).toBe(false);
  expect(await codeOf(importRecordKey(randomBytes(16)))).toBe('malformed');
});
