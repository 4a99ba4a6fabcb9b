import { expect, test } from 'vitest';
import { lists, MAX_DEVICES, MAX_LISTS, type DeviceList } from './devices.ts';
import { MAX_FRAME_BYTES } from './frames.ts';

test('an answer with the longest lists there can be fits into a frame', () => {
  const key = (bytes: number) => Buffer.alloc(bytes, 0xff).toString('base64');
  const userId = '00000000-0000-4000-8000-000000000000' as DeviceList['userId'];
  const devices = Array.from({ length: MAX_DEVICES }, (_, index) => ({
    deviceId: (0x7fffffff - index) as DeviceList['devices'][number]['deviceId'],
    identityKey: key(33),
    authenticationKey: key(32),
    // Four bytes of UTF-8 in two UTF-16 code units.
    name: '\u{1fad6}'.repeat(32),
    addedAt: Number.MAX_SAFE_INTEGER,
  }));
  const list = { userId, version: Number.MAX_SAFE_INTEGER, issuedAt: Number.MAX_SAFE_INTEGER, devices };
  const signed = { accountKey: key(32), payload: JSON.stringify(list), signature: key(64) };
  const result = { lists: Array.from({ length: MAX_LISTS }, () => signed) };
  expect(lists.result.safeParse(result).success).toBe(true);
  expect(Buffer.byteLength(JSON.stringify({ id: Number.MAX_SAFE_INTEGER, result }))).toBeLessThan(MAX_FRAME_BYTES);
  // And with payloads of the greatest length, half of it quotes.
  const longest = { ...signed, payload: 'x"'.repeat(8192) };
  const answer = { id: 1, result: { lists: Array.from({ length: MAX_LISTS }, () => longest) } };
  expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(MAX_FRAME_BYTES);
});
