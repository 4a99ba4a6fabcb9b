import { describe, expect, test } from 'vitest';
import { en } from './en.ts';
import { english, preferredLocale, pseudo, regionOf, type Locale } from './locales.ts';
import { plural } from './plural.ts';

const locale = (tag: string): Locale => ({ ...english, tag, name: tag });
const offered = [locale('en'), locale('pt-BR'), locale('pt'), locale('de')];

describe('the language that suits', () => {
  test.each([
    [['de-AT', 'en'], 'de'],
    [['pt-BR'], 'pt-BR'],
    [['pt-PT'], 'pt-BR'],
    [['xx', 'DE'], 'de'],
    [['xx'], 'en'],
    [[], 'en'],
  ])('%j → %s', (preferred, tag) => expect(preferredLocale(preferred, offered).tag).toBe(tag));
});

test('dates follow the person’s own region of the language', () => {
  expect(regionOf('en', ['de-AT', 'en-GB', 'en-US'])).toBe('en-GB');
  expect(regionOf('de', ['en-GB'])).toBe('de');
});

test('plurals follow the language’s rules', () => {
  const polish = new Intl.PluralRules('pl');
  const forms = { one: '# plik', few: '# pliki', other: '# plików' };
  expect([1, 3, 5, 22].map((value) => plural(polish, value, forms))).toEqual([
    '1 plik',
    '3 pliki',
    '5 plików',
    '22 pliki',
  ]);
  expect(plural(new Intl.PluralRules('en'), 1234, { other: '# people' })).toBe('1,234 people');
});

test('the pseudo language has every phrase and calls every function', async () => {
  const catalog = await pseudo.load();
  expect(Object.keys(catalog)).toEqual(Object.keys(en));
  expect(catalog.nav.chats).toBe(`\u2067[${en.nav.chats}]\u2069`);
  expect(catalog.chat.unread(2)).toContain(en.chat.unread(2));
  expect(catalog.chat.problems['account-key-changed']('Ada')).toContain('Ada');
});

test('people of their names: the words that the product promises', () => {
  expect([en.accounts.displayName, en.accounts.username, en.accounts.password]).toEqual([
    'Display name',
    'Username',
    'Password',
  ]);
  expect([en.accounts.createAccount, en.accounts.signIn, en.chat.newChat]).toEqual([
    'Create account',
    'Sign in',
    'New chat',
  ]);
  expect([en.nav.chats, en.nav.calls, en.nav.contacts, en.nav.settings]).toEqual([
    'Chats',
    'Calls',
    'Contacts',
    'Settings',
  ]);
  expect([en.chat.findPeople, en.chat.messages, en.chat.message, en.chat.send]).toEqual([
    'Find people',
    'Messages',
    'Message',
    'Send',
  ]);
  expect([en.chat.startVoice, en.chat.startVideo]).toEqual(['Start voice call', 'Start video call']);
});
