import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { addressReader, isHostAllowed, isOriginAllowed, proxyMatcher } from './origin.ts';

it.each([
  [undefined, true],
  ['https://public.example', true],
  ['app://teahouse', true],
  ['app://teahouse.evil', false],
  ['app://other', false],
  ['http://tea.example:8420', false],
  ['https://tea.example:8420', false],
  ['https://tea.example', false],
  ['https://public.example.evil.net', false],
  ['file://', false],
  ['null', false],
  ['', false],
  ['chrome-extension://tea.example:8420', false],
])('origin %s: %s', (origin, allowed) => {
  expect(isOriginAllowed(origin, 'tea.example:8420', ['https://other.example', 'https://public.example'])).toBe(
    allowed,
  );
});

it.each([
  ['http://localhost:8420', 'localhost:8420', true],
  ['http://127.0.0.1:8420', '127.0.0.1:8420', true],
  ['http://192.168.1.5:8420', '192.168.1.5:8420', true],
  ['http://[::1]:8420', '[::1]:8420', true],
  ['http://localhost', 'localhost:80', false],
  ['http://localhost:8421', 'localhost:8420', false],
  ['http://evil.example:8420', 'evil.example:8420', false],
  ['http://localhost.evil.example:8420', 'localhost.evil.example:8420', false],
])('without a public origin, a page of %s at host %s: %s', (origin, host, allowed) => {
  expect(isOriginAllowed(origin, host, [])).toBe(allowed);
});

it.each([
  ['localhost:8420', true],
  ['127.0.0.1:8420', true],
  ['[::1]', true],
  ['tea.example', true],
  ['TEA.example', true],
  ['evil.example', false],
  ['tea.example:8420', false],
  ['tea.example.evil.net', false],
  ['x@127.0.0.1', false],
  ['127.0.0.1/evil.example', false],
  ['', false],
])('host %j: %s', (host, allowed) => {
  expect(isHostAllowed(host, ['https://other.example', 'https://tea.example'])).toBe(allowed);
});

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

it('believes only trusted proxies about the address', () => {
  const alone = addressReader(proxyMatcher([]));
  expect(alone(request('203.0.113.1', '198.51.100.1'))).toBe('203.0.113.1');
  expect(alone(request('::ffff:203.0.113.1'))).toBe('203.0.113.1');

  const proxied = addressReader(proxyMatcher(['10.0.0.0/8', '::1']));
  expect(proxied(request('10.1.2.3', '198.51.100.1'))).toBe('198.51.100.1');
  expect(proxied(request('::ffff:10.1.2.3', '198.51.100.1'))).toBe('198.51.100.1');
  expect(
    proxied(request('::1', '6.6.6.6, 198.51.100.1, 10.9.9.9')),
    'what the client itself claimed is not believed',
  ).toBe('198.51.100.1');
  expect(proxied(request('10.1.2.3', 'nonsense'))).toBe('10.1.2.3');
  expect(proxied(request('10.1.2.3'))).toBe('10.1.2.3');
  expect(proxied(request('203.0.113.1', '198.51.100.1'))).toBe('203.0.113.1');
});
