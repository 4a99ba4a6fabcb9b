import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinDeepLink, resetDeepLink, parseDeepLink, parseServerAddress, ServerOrigin } from './server-address.ts';

const TOKEN = 'A'.repeat(42) + '_';
const token = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/);
const origin = fc
  .tuple(fc.domain(), fc.option(fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 443)))
  .map(([host, port]) => `https://${host.toLowerCase()}${port === null ? '' : `:${port}`}`);

describe('ServerOrigin', () => {
  it.each([
    'https://tea.example.org',
    'https://tea.example.org:8443',
    'https://192.0.2.7',
    'https://[2001:db8::1]:8443',
    'http://localhost:8443',
    'http://127.0.0.1:8443',
    'http://[::1]:8443',
  ])('takes %s', (text) => expect(ServerOrigin.safeParse(text).success).toBe(true));

  it.each([
    'http://tea.example.org',
    'http://192.168.1.2',
    'http://localhost.example.org',
    'http://127.0.0.1.example.org',
    'https://tea.example.org/',
    'https://tea.example.org:443',
    'https://TEA.example.org',
    'https://ann@tea.example.org',
    'https://tea.example.org?',
    'https://tea.example.org; script-src *',
    "https://tea.example.org 'unsafe-inline'",
    'https://*',
    'https://*.example.org',
    'wss://tea.example.org',
    'javascript:alert(1)',
    'app://teahouse',
    'https://',
    '',
  ])('refuses %j', (text) => expect(ServerOrigin.safeParse(text).success).toBe(false));

  it('holds nothing that could end a directive of a security policy', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.string(), (url, rest) => {
        const parsed = ServerOrigin.safeParse(url + rest);
        expect(!parsed.success || /^[^\s;,'"*]+$/.test(parsed.data)).toBe(true);
      }),
    );
  });
});

describe('parseServerAddress', () => {
  it.each([
    ['tea.example.org', 'https://tea.example.org'],
    ['  https://Tea.Example.org/  ', 'https://tea.example.org'],
    ['https://tea.example.org:443', 'https://tea.example.org'],
    ['tea.example.org:8443', 'https://tea.example.org:8443'],
    ['localhost:8443', 'http://localhost:8443'],
    ['127.0.0.1:8443/', 'http://127.0.0.1:8443'],
    ['https://tea.example.org/#/chats', 'https://tea.example.org'],
  ])('reads %j as %s', (text, expected) => {
    expect(parseServerAddress(text)).toEqual({ origin: expected, invitation: null, reset: null });
  });

  it('reads an invitation link and its deep link alike', () => {
    const expected = { origin: 'https://tea.example.org', invitation: TOKEN, reset: null };
    expect(parseServerAddress(`https://tea.example.org/#/join/${TOKEN}`)).toEqual(expected);
    expect(parseServerAddress(joinDeepLink(expected.origin, TOKEN))).toEqual(expected);
  });

  it.each([
    '',
    'two words',
    'http://tea.example.org',
    'https://a:b@tea.example.org',
    'ftp://tea.example.org',
    'file:///etc/passwd',
  ])('refuses %j', (text) => expect(parseServerAddress(text)).toBeNull());

  it('reads a link to a new password and its deep link alike', () => {
    const expected = { origin: 'https://tea.example.org', invitation: null, reset: TOKEN };
    expect(parseServerAddress(`https://tea.example.org/#/reset/${TOKEN}`)).toEqual(expected);
    expect(parseServerAddress(resetDeepLink(expected.origin, TOKEN))).toEqual(expected);
    expect(parseServerAddress(`https://tea.example.org/#/reset/${TOKEN.slice(1)}`)).toBeNull();
  });

  it('refuses a damaged invitation rather than losing it', () => {
    expect(parseServerAddress(`https://tea.example.org/#/join/${TOKEN.slice(1)}`)).toBeNull();
  });

  it('reads whatever invitation link can be made', () => {
    fc.assert(
      fc.property(origin, token, (server, invitation) => {
        expect(parseServerAddress(`${server}/#/join/${invitation}`)).toEqual({
          origin: server,
          invitation,
          reset: null,
        });
        expect(parseDeepLink(joinDeepLink(server, invitation))).toEqual({ origin: server, invitation, reset: null });
      }),
    );
  });

  it('never throws, and answers only with an origin that its own schema takes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withFragments: true })), (text) => {
        const address = parseServerAddress(text);
        expect(address === null || ServerOrigin.safeParse(address.origin).success).toBe(true);
      }),
    );
  });
});

describe('parseDeepLink', () => {
  const server = encodeURIComponent('https://tea.example.org');

  it('bears the slash that some systems add', () => {
    expect(parseDeepLink(`Teahouse://RESET/#server=${server}&reset=${TOKEN}`)?.reset).toBe(TOKEN);
    expect(parseDeepLink(`teahouse://join/#server=${server}&invitation=${TOKEN}`)).not.toBeNull();
  });

  it.each([
    `teahouse://leave#server=${server}&invitation=${TOKEN}`,
    `teahouse://join?server=${server}&invitation=${TOKEN}`,
    `teahouse://join#server=${server}`,
    `teahouse://join#invitation=${TOKEN}`,
    `teahouse://join#server=${server}&invitation=${TOKEN}&more=1`,
    `teahouse://join#server=${server}&server=${server}&invitation=${TOKEN}`,
    `teahouse://join#server=${encodeURIComponent('http://tea.example.org')}&invitation=${TOKEN}`,
    `teahouse://join#server=%&invitation=${TOKEN}`,
    `https://join#server=${server}&invitation=${TOKEN}`,
    `teahouse://reset#server=${server}&invitation=${TOKEN}`,
    `teahouse://join#server=${server}&reset=${TOKEN}`,
    `teahouse://reset#server=${server}&reset=${TOKEN.slice(1)}`,
    `teahouse://reset#server=${server}&reset=${TOKEN}&invitation=${TOKEN}`,
    `teahouse://reset#server=${encodeURIComponent('http://tea.example.org')}&reset=${TOKEN}`,
    `teahouse://reset#reset=${TOKEN}`,
  ])('refuses %s', (link) => expect(parseDeepLink(link)).toBeNull());
});
