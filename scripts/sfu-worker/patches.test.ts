import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PATCHES, patchText } from './patches.mjs';

const patch = { file: 'a.txt', from: 'old', to: 'new' };

test('replaces what is there once', () => {
  expect(patchText('the old one', patch)).toBe('the new one');
});

test('refuses a text that is no longer as it was', () => {
  expect(() => patchText('another one', patch)).toThrow(/a\.txt holds "old" 0 times/);
  expect(() => patchText('old and old', patch)).toThrow(/2 times/);
});

test('every patch fits the installed mediasoup', () => {
  const worker = new URL('../../node_modules/mediasoup/worker/', import.meta.url);
  for (const each of PATCHES) {
    const text = readFileSync(fileURLToPath(new URL(each.file, worker)), 'utf8');
    expect(patchText(text, each)).toContain(each.to);
  }
});
