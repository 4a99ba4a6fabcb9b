import { readdirSync, readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebPreferences } from 'electron';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { INVOKE_CHANNEL } from '../protocol/ipc/names.ts';
import { ServerOrigin } from '../protocol/ipc/server-address.ts';
import { launchApp } from './launch.ts';
import { contentSecurityPolicy } from './shell/content-security.ts';
import { createFakeElectron } from './testing/fake-electron.ts';

/**
 * Electron's security checklist (electronjs.org/docs/latest/tutorial/security), item by item, on the app as it is composed:
 * launched with everything of Electron that it uses replaced by something that remembers.
 */

const root = join(import.meta.dirname, '..');
const userData = mkdtempSync(join(tmpdir(), 'checklist-'));
const fake = createFakeElectron(userData);
let preferences: WebPreferences;

beforeAll(async () => {
  const process = { platform: 'linux' as const, env: {}, argv: ['teahouse'], stderr: { write: () => true } };
  launchApp({ electron: fake.electron, process, out: '/opt/teahouse/out' });
  await vi.waitFor(() => expect(fake.windows).toHaveLength(1));
  preferences = (fake.windows[0]!.options as { webPreferences: WebPreferences }).webPreferences;
});
afterAll(() => rmSync(userData, { recursive: true }));

/** Every source file of the shell but tests and their fakes. */
function sources(): { name: string; text: string }[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('testing'))
    .map((name) => ({ name: name.replaceAll('\\', '/'), text: readFileSync(join(import.meta.dirname, name), 'utf8') }));
}
const using = (pattern: RegExp) => sources().flatMap(({ name, text }) => (pattern.test(text) ? [name] : []));

/** Whether a page's event of this name is prevented. */
function prevents(name: string, event: object = {}): boolean {
  const preventDefault = vi.fn();
  fake.windows[0]!.webContents.emit(name, { preventDefault, ...event });
  return preventDefault.mock.calls.length > 0;
}

describe('Electron’s security checklist', () => {
  it('1. only loads secure content', () => {
    expect(fake.windows[0]!.loaded).toEqual(['app://teahouse/index.html']);
    expect(ServerOrigin.safeParse('http://tea.example.org').success).toBe(false);
    expect(contentSecurityPolicy('https://tea.example.org')).not.toMatch(/http:|ws:/);
  });

  it('2. gives no page Node', () => {
    expect(preferences).toMatchObject({
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
    });
  });

  it('3. isolates the preload from the page', () => expect(preferences.contextIsolation).toBe(true));

  it('4. sandboxes every process', () => {
    expect(fake.log[0]).toBe('enableSandbox');
    expect(preferences.sandbox).toBe(true);
    expect(using(/no-sandbox/)).toEqual([]);
  });

  it('5. answers permission requests itself, with no by default', async () => {
    const { permissionCheck, permissionRequest, device } = fake.session.handlers as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    const stranger = { requestingUrl: 'https://evil.example/', isMainFrame: true };
    expect(permissionCheck!(null, 'media', 'https://evil.example', stranger)).toBe(false);
    expect(await new Promise((resolve) => permissionRequest!({}, 'media', resolve, stranger))).toBe(false);
    expect(device!({})).toBe(false);
    // Without a listener Electron cancels every choice of a Bluetooth device.
    expect(fake.windows[0]!.webContents.listenerCount('select-bluetooth-device')).toBe(0);
  });

  it('6. keeps web security on', () => expect(preferences.webSecurity).toBe(true));

  it('7. sends a strict content security policy with every answer', async () => {
    const serve = fake.session.handlers['scheme:app'] as unknown as (request: object) => Promise<Response>;
    const { headers } = await serve({ url: 'app://teahouse/none.js', method: 'GET' });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "object-src 'none'"]),
    );
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });

  it('8. runs no insecure content', () => expect(preferences.allowRunningInsecureContent).toBe(false));

  it('9. turns no experimental features on', () => expect(preferences.experimentalFeatures).toBe(false));

  it('10. turns no Blink features on', () => {
    expect(preferences).not.toHaveProperty('enableBlinkFeatures');
    expect(using(/enableBlinkFeatures|enable-blink-features|appendSwitch/)).toEqual([]);
  });

  it('11. and 12. has no webview, so none that opens windows or has options to check', () => {
    expect(preferences.webviewTag).toBe(false);
    expect(prevents('will-attach-webview')).toBe(true);
  });

  it('13. goes to no other page', () => {
    for (const name of ['will-navigate', 'will-redirect', 'will-frame-navigate']) {
      expect(prevents(name, { url: 'https://evil.example/', isMainFrame: true })).toBe(true);
    }
  });

  it('14. opens no window', () => {
    const open = fake.windows[0]!.webContents.openHandler as unknown as (details: { url: string }) => object;
    expect(open({ url: 'app://teahouse/index.html' })).toEqual({ action: 'deny' });
  });

  it('15. hands nothing but checked https addresses to the system', () => {
    const open = fake.windows[0]!.webContents.openHandler as unknown as (details: { url: string }) => object;
    for (const url of ['file:///etc/passwd', 'smb://evil.example/x', 'http://example.org/', 'https://example.org/'])
      open({ url });
    expect(fake.log.filter((line) => line.startsWith('external'))).toEqual(['external https://example.org/']);
    expect(using(/openExternal\(/)).toEqual(['desktop-shell.ts', 'shell/navigation.ts']);
  });

  it('16. pins the exact version of Electron, one that still gets fixes', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(devDependencies.electron).toMatch(/^\d+\.\d+\.\d+$/);
    expect(Number.parseInt(devDependencies.electron)).toBeGreaterThanOrEqual(45);
  });

  it('17. checks who sends, in the one place that listens', async () => {
    const listener = fake.ipc[INVOKE_CHANNEL] as unknown as (...args: unknown[]) => Promise<unknown>;
    const { webContents } = fake.windows[0]!;
    const senderFrame = { ...webContents.mainFrame, parent: webContents.mainFrame };
    expect(await listener({ sender: webContents, senderFrame }, 'describe', {})).toMatchObject({
      error: { code: 'sender_refused' },
    });
    expect(Object.keys(fake.ipc)).toEqual([INVOKE_CHANNEL]);
    expect(using(/ipcMain\.(on|once|handle|handleOnce|addListener)\b/)).toEqual(['ipc/router.ts']);
    expect(using(/\.ipc\.(on|handle)\b|MessageChannelMain|postMessage/)).toEqual([]);
  });

  it('18. serves the interface from its own scheme, never from file://', () => {
    expect(Object.keys(fake.session.handlers)).toContain('scheme:app');
    expect(using(/loadFile\(|registerFileProtocol|interceptFileProtocol/)).toEqual([]);
  });

  it('19. has every fuse set that turns a power off', () => {
    const { electronFuses } = load(readFileSync(join(root, 'electron-builder.yml'), 'utf8')) as {
      electronFuses: object;
    };
    expect(electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    });
  });

  it('20. shows no part of Electron to the page', () => {
    expect(using(/exposeInMainWorld/)).toEqual(['preload.ts']);
    expect(using(/exposeInIsolatedWorld|executeJavaScript|\bremote\b/)).toEqual([]);
    // What it does show is in preload.test.ts.
  });

  it('has no developer tools and no dictionary downloads when installed', () => {
    expect(preferences).toMatchObject({ devTools: false, spellcheck: false });
  });
});
