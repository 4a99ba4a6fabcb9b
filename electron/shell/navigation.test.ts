import { describe, expect, it, vi } from 'vitest';
import { createAppPage } from './app-page.ts';
import { confineNavigation, externalAddress } from './navigation.ts';

const page = createAppPage(null);

function confine() {
  const listeners = new Map<string, (event: object) => void>();
  let open: (details: { url: string }) => { action: string } = () => ({ action: 'none' });
  const openExternal = vi.fn(async (_url: string) => {});
  const contents = {
    on: (name: string, listener: (event: object) => void) => void listeners.set(name, listener),
    setWindowOpenHandler: (handler: typeof open) => void (open = handler),
  };
  confineNavigation(contents as never, { page, openExternal });
  const prevented = (name: string, event: object) => {
    const preventDefault = vi.fn();
    listeners.get(name)!({ preventDefault, ...event });
    return preventDefault.mock.calls.length === 1;
  };
  return { open: (url: string) => open({ url }), openExternal, prevented };
}

describe('externalAddress', () => {
  it('passes web addresses on, normalised', () => {
    expect(externalAddress('https://example.org/a b?c#d')).toBe('https://example.org/a%20b?c#d');
    expect(externalAddress('HTTPS://EXAMPLE.org')).toBe('https://example.org/');
  });

  it.each([
    'http://example.org/',
    'file:///etc/passwd',
    'smb://example.org/share',
    'javascript:alert(1)',
    'data:text/html,x',
    'ms-msdt:/id',
    'teahouse://join#x',
    'app://teahouse/',
    'mailto:ann@example.org',
    'https://example.org@evil.example/',
    'https://user:pass@example.org/',
    `https://example.org/${'x'.repeat(2048)}`,
    '//example.org',
    '',
  ])('refuses %s', (url) => expect(externalAddress(url)).toBeNull());
});

describe('a confined page', () => {
  it('opens no window, and web links in the system’s browser', () => {
    const { open, openExternal } = confine();
    for (const url of ['https://example.org/', page.url, 'about:blank', 'file:///etc/passwd']) {
      expect(open(url)).toEqual({ action: 'deny' });
    }
    expect(openExternal.mock.calls).toEqual([['https://example.org/']]);
  });

  it('survives a system without a browser', async () => {
    const { open, openExternal } = confine();
    openExternal.mockRejectedValueOnce(new Error('no browser'));
    expect(open('https://example.org/')).toEqual({ action: 'deny' });
    await new Promise(setImmediate);
  });

  it('goes nowhere but within the interface', () => {
    const { prevented } = confine();
    for (const name of ['will-navigate', 'will-redirect']) {
      expect(prevented(name, { url: 'https://example.org/' })).toBe(true);
      expect(prevented(name, { url: 'file:///etc/passwd' })).toBe(true);
      expect(prevented(name, { url: 'app://teahouse/index.html' })).toBe(false);
    }
  });

  it('holds no other frame and no webview', () => {
    const { prevented } = confine();
    expect(prevented('will-frame-navigate', { url: page.url, isMainFrame: false })).toBe(true);
    expect(prevented('will-frame-navigate', { url: 'https://example.org/', isMainFrame: true })).toBe(true);
    expect(prevented('will-frame-navigate', { url: page.url, isMainFrame: true })).toBe(false);
    expect(prevented('will-attach-webview', {})).toBe(true);
  });
});
