import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkify } from './linkify.ts';

const links = (text: string) => linkify(text).flatMap((part) => (part.kind === 'link' ? [part.text] : []));

/** Text in which addresses, brackets, schemes and controls are likely. */
const messy = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.constantFrom('(', ')', '.', ' ', '\n', 'https://', 'http://a', 'javascript:alert(1)', '\u202e', '<b>', '@'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('the parts joined are the message', () => {
  fc.assert(
    fc.property(messy, (text) => {
      expect(
        linkify(text)
          .map((part) => part.text)
          .join(''),
      ).toBe(text);
    }),
  );
});

test('a link leads to the web and nowhere else, and carries no user name', () => {
  fc.assert(
    fc.property(messy, (text) => {
      for (const part of linkify(text)) {
        if (part.kind !== 'link') continue;
        const url = new URL(part.href);
        expect(['http:', 'https:']).toContain(url.protocol);
        expect(url.username + url.password).toBe('');
      }
    }),
  );
});

describe('where an address ends', () => {
  test.each([
    ['See https://example.org/tea.', ['https://example.org/tea']],
    ['(https://example.org/tea)', ['https://example.org/tea']],
    ['https://example.org/Tea_(drink)', ['https://example.org/Tea_(drink)']],
    ['https://example.org/?a=1&b=2#c, and http://x.test!', ['https://example.org/?a=1&b=2#c', 'http://x.test']],
    ['HTTPS://EXAMPLE.ORG', ['HTTPS://EXAMPLE.ORG']],
    ['<https://example.org>', ['https://example.org']],
  ])('%s', (text, expected) => expect(links(text)).toEqual(expected));
});

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'https://',
  'https://bank.example@evil.example/',
  'ftp://example.org',
  'example.org',
])('%s is text', (text) => expect(links(text)).toEqual([]));
