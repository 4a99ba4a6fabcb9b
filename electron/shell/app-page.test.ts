import { describe, expect, it } from 'vitest';
import { createAppPage } from './app-page.ts';

describe('the page of an installed app', () => {
  const page = createAppPage(null);

  it('owns its own addresses', () => {
    expect(page.owns(page.url)).toBe(true);
    expect(page.owns('app://teahouse/assets/a.js#x')).toBe(true);
  });

  it.each([
    '',
    'about:blank',
    'app://other/',
    'app://teahouse.example/',
    'app://teahouse@other/',
    'app://user:pass@teahouse/',
    'app://teahouse:80/',
    'https://teahouse/',
    'file:///app/index.html',
    'blob:app://teahouse/5f1c',
    'data:text/html,app://teahouse/',
    'javascript:alert(1)',
  ])('does not own %j', (url) => expect(page.owns(url)).toBe(false));
});

describe('the page while developing', () => {
  it('is the development server on this machine', () => {
    const page = createAppPage('http://localhost:5173');
    expect(page.url).toBe('http://localhost:5173/');
    expect(page.owns('http://localhost:5173/src/main.ts')).toBe(true);
    expect(page.owns('http://localhost:5174/')).toBe(false);
    expect(page.owns('app://teahouse/')).toBe(false);
  });

  it('is never on another machine', () => {
    expect(() => createAppPage('https://localhost.example.org')).toThrow('this machine');
  });
});
