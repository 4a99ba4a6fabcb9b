import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en } from './en.ts';

/** Calls are encrypted on the way to the server, which passes them on: no sentence may promise more. */
test('what is said first promises for messages alone what holds for messages alone', () => {
  const page = readFileSync(join(import.meta.dirname, '../index.html'), 'utf8');
  const description = /<meta\s+name="description"\s+content="([^"]+)"/.exec(page)?.[1];
  expect(description).toBe(en.accounts.welcomeBody);
  expect(en.accounts.welcomeBody).toMatch(
    /^Messages that only you and the people you write to can read, and calls on /,
  );
});

test('no text says of calls that nobody else can follow them', () => {
  const texts = (part: unknown): string[] =>
    typeof part === 'string'
      ? [part]
      : typeof part === 'object' && part !== null
        ? Object.values(part).flatMap(texts)
        : [];
  const sentences = texts(en).flatMap((text) => text.split(/(?<=[.?!:])\s+/));
  expect(sentences.length).toBeGreaterThan(300);
  const claims = sentences.filter((one) =>
    /\bcalls?\b[^,;]*(end-to-end|only you)|(end-to-end|only you)[^,;]*\bcalls\b/i.test(one),
  );
  expect(claims).toEqual([]);
  expect(en.settings.encryptionBody).toContain('Calls are encrypted on the way to the server.');
});
