import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createAppSchemeHandler } from '../electron/shell/app-scheme.ts';
import type { ScreenRequest } from '../protocol/ipc/bridge.ts';

/**
 * The interface as the desktop shell serves it: the built files through the shell's own handler, under its policy, with
 * a bridge that remembers. Chromium has no `app` scheme, so another origin stands in for it.
 */
const ORIGIN = 'https://app.teahouse.test';
const SERVER = 'https://tea.example.org';
const TOKEN = 'k'.repeat(43);

const page = { url: `${ORIGIN}/index.html`, owns: (url: string) => url.startsWith(`${ORIGIN}/`) };

interface Remembered {
  asked: [string, unknown][];
  listeners: Record<string, (params: unknown) => void>;
}
declare global {
  interface Window {
    remembered: Remembered;
    keepServer(origin: string): Promise<void>;
  }
}

/** Runs in the page before the interface, where the preload would. */
function exposeBridge(): void {
  const remembered: Remembered = { asked: [], listeners: {} };
  const description = () => ({
    platform: 'linux',
    version: '1.2.3',
    serverOrigin: sessionStorage.getItem('server'),
    secretStore: 'unprotected',
  });
  const answers: Record<string, (params: { origin?: string }) => unknown> = {
    describe: description,
    takeDeepLink: () => ({ invitation: null, reset: null }),
    setServerOrigin: async ({ origin }) => {
      await window.keepServer(origin ?? '');
      sessionStorage.setItem('server', origin ?? '');
      return {};
    },
  };
  const names = [
    'describe',
    'setServerOrigin',
    'sealSecret',
    'openSecret',
    'notify',
    'setBadge',
    'takeDeepLink',
    'chooseScreen',
  ];
  const calls = names.map((name) => [
    name,
    async (params: { origin?: string }) => {
      remembered.asked.push([name, params]);
      return { ok: true, result: (await answers[name]?.(params)) ?? {} };
    },
  ]);
  const events = ['onDeepLinkArrived', 'onNotificationClicked', 'onScreenRequested'].map((name) => [
    name,
    (listener: (params: unknown) => void) => ((remembered.listeners[name] = listener), () => {}),
  ]);
  Object.assign(window, { remembered, teahouse: Object.fromEntries([...calls, ...events]) });
}

/** Opens the interface and collects everything that the policy refused. */
async function open(tab: Page): Promise<string[]> {
  let server: string | null = null;
  const serve = createAppSchemeHandler({
    root: fileURLToPath(new URL('../out/renderer', import.meta.url)),
    page,
    readFile: async (path) => new Uint8Array(await readFile(path)),
    serverOrigin: () => server,
  });
  await tab.route(`${ORIGIN}/**`, async (route) => {
    const answer = await serve(new Request(route.request().url()));
    await route.fulfill({
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    });
  });
  await tab.exposeFunction('keepServer', (origin: string) => void (server = origin));
  const refused: string[] = [];
  tab.on('console', (message) => {
    if (/Content Security Policy|Permissions-Policy/i.test(message.text())) refused.push(message.text());
  });
  tab.on('pageerror', (error) => refused.push(error.message));
  await tab.addInitScript(exposeBridge);
  await tab.goto(page.url);
  return refused;
}

test('the first start asks for the server, keeps it and goes on to the invitation, within the policy', async ({
  page: tab,
}) => {
  const refused = await open(tab);
  await tab.getByRole('textbox', { name: 'Invitation link or server address' }).fill(`${SERVER}/#/join/${TOKEN}`);
  await Promise.all([tab.waitForEvent('load'), tab.getByRole('button', { name: 'Continue' }).click()]);
  // The invitation leaves the address bar as soon as it was read; the tab remembers it.
  const [server, place] = await tab.evaluate(() => [
    sessionStorage.getItem('server'),
    (history.state as { concealed?: string } | null)?.concealed ?? location.hash,
  ]);
  expect([server, place]).toEqual([SERVER, `#/join/${TOKEN}`]);
  // The page now belongs to that server, and looks for it; that it is not there is no fault of the policy.
  await expect(tab.getByRole('textbox', { name: 'Invitation link or server address' })).toHaveCount(0);
  expect(refused).toEqual([]);
});

test('the policy refuses every other server', async ({ page: tab }) => {
  await open(tab);
  await expect(tab.getByRole('button', { name: 'Continue' })).toBeVisible();
  const violated = await tab.evaluate(async () => {
    const violation = new Promise<string>((resolve) =>
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective)),
    );
    await fetch('https://evil.example/').catch(() => {});
    return violation;
  });
  expect(violated).toBe('connect-src');
});

test.describe('the picker of screens', () => {
  const picture =
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  const request: ScreenRequest = {
    requestId: '5f1c9c1e-7d0b-4c55-9a52-7c8c2f6d9b11',
    canShareAudio: true,
    sources: [
      { id: 'screen:0:0', name: 'Entire screen', kind: 'screen', thumbnail: picture },
      { id: 'window:7:0', name: 'A document with quite a long name that goes on', kind: 'window', thumbnail: picture },
      { id: 'window:8:0', name: 'Music', kind: 'window', thumbnail: null },
    ],
  };
  const ask = (tab: Page) =>
    tab.evaluate((asked) => window.remembered.listeners['onScreenRequested']?.(asked), request);
  const answers = (tab: Page) =>
    tab.evaluate(() => window.remembered.asked.flatMap(([name, params]) => (name === 'chooseScreen' ? [params] : [])));

  test('is answered by keyboard, in a dialog without faults', async ({ page: tab }, info) => {
    const refused = await open(tab);
    await expect(tab.getByRole('button', { name: 'Continue' })).toBeVisible();
    await ask(tab);
    const dialog = tab.getByRole('dialog', { name: 'Choose what to share' });
    await expect(dialog.getByRole('radio', { name: 'Entire screen' })).toBeChecked();
    await tab.emulateMedia({ reducedMotion: 'reduce' });
    for (const width of [360, 1280]) {
      await tab.setViewportSize({ width, height: 740 });
      const { violations } = await new AxeBuilder({ page: tab }).analyze();
      expect(violations.map(({ id }) => id)).toEqual([]);
      await tab.screenshot({ path: info.outputPath(`picker-${width}.png`) });
    }
    await expect(dialog.getByRole('radio', { name: 'Entire screen' })).toBeFocused();
    await tab.keyboard.press('ArrowDown');
    await dialog.getByRole('checkbox').press('Space');
    await tab.keyboard.press('Enter');
    await expect(dialog).toHaveCount(0);
    expect(await answers(tab)).toEqual([
      { requestId: request.requestId, choice: { sourceId: 'window:7:0', audio: true } },
    ]);
    expect(refused).toEqual([]);
  });

  test('is cancelled by Escape', async ({ page: tab }) => {
    await open(tab);
    await expect(tab.getByRole('button', { name: 'Continue' })).toBeVisible();
    await ask(tab);
    await expect(tab.getByRole('dialog')).toBeVisible();
    await tab.keyboard.press('Escape');
    await expect(tab.getByRole('dialog')).toHaveCount(0);
    expect(await answers(tab)).toEqual([{ requestId: request.requestId, choice: null }]);
  });
});
