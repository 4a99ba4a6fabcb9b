import fc from 'fast-check';
import { expect, test } from 'vitest';
import { invitationIn } from './invitation-link.ts';

const token = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/);

test('the token is found in the link, in its fragment and alone, with spaces around', () => {
  fc.assert(
    fc.property(token, (one) => {
      expect(invitationIn(`https://tea.example.org/#/join/${one}`)).toBe(one);
      expect(invitationIn(`  #/join/${one}\n`)).toBe(one);
      expect(invitationIn(` ${one} `)).toBe(one);
    }),
  );
});

test('anything else is no invitation', () => {
  for (const text of [
    '',
    'https://tea.example.org/',
    `https://tea.example.org/#/join/${'a'.repeat(42)}`,
    'a'.repeat(44),
  ]) {
    expect(invitationIn(text)).toBeNull();
  }
});
