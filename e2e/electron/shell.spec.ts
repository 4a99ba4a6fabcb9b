import { _electron, type ElectronApplication, expect, type Page, test } from '@playwright/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TeahouseBridge } from '../../protocol/ipc/bridge.ts';
import { findElectron, hasDisplay } from '../../scripts/lib/electron.mjs';

declare global {
  var teahouse: TeahouseBridge | undefined;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const executablePath = findElectron();
const missing =
  executablePath === undefined
    ? 'Electron’s binary is not installed; `npm run setup` fetches it where it can be had.'
    : hasDisplay()
      ? null
      : 'There is no display; under xvfb-run there is one.';

let userData: string;
let app: ElectronApplication;
let window: Page;

/** Starts the built app on a profile of its own. */
async function launch(server?: string): Promise<void> {
  // Chromium refuses its sandbox to root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  app = await _electron.launch({
    executablePath: executablePath ?? '',
    args: [...sandbox, `--user-data-dir=${userData}`, root, ...(server === undefined ? [] : [`--server=${server}`])],
  });
  window = await app.firstWindow();
  await window.waitForLoadState();
}

test.beforeAll(async () => {
  if (process.env['REQUIRE_ELECTRON'] === '1') expect(missing).toBeNull();
  test.skip(missing !== null, missing ?? '');
  userData = await mkdtemp(join(tmpdir(), 'teahouse-desktop-'));
});
test.afterAll(async () => {
  if (userData) await rm(userData, { recursive: true, force: true });
});
test.beforeEach(() => launch('http://localhost:9'));
test.afterEach(() => app.close());

test('opens one window that shows the interface', async () => {
  expect(app.windows()).toHaveLength(1);
  expect(new URL(window.url()).href).toMatch(/^app:\/\/teahouse\/index\.html/);
  await expect(window).toHaveTitle(/Teahouse/);
  await expect(window.locator('#app')).not.toBeEmpty();
  expect(await window.evaluate(() => isSecureContext)).toBe(true);
});

test('gives the page no Node and only the bridge', async () => {
  const reach = await window.evaluate(() => [
    typeof require,
    typeof process,
    typeof module,
    typeof globalThis.teahouse,
  ]);
  expect(reach).toEqual(['undefined', 'undefined', 'undefined', 'object']);
});

test('runs the page in Chromium’s sandbox', async () => {
  test.skip(process.getuid?.() === 0, 'Chromium refuses its sandbox to root.');
  const sandboxed = await app.evaluate(({ app: electronApp }) =>
    electronApp.getAppMetrics().flatMap(({ type, sandboxed: value }) => (type === 'Tab' ? [value] : [])),
  );
  // Electron tells it on macOS and Windows; on Linux the flag that would turn it off must not be there.
  expect(sandboxed.every((value) => value !== false)).toBe(true);
  expect(await app.evaluate(({ app: electronApp }) => electronApp.commandLine.hasSwitch('no-sandbox'))).toBe(false);
});

test('puts its policy in force', async () => {
  const { directive, ran } = await window.evaluate(async () => {
    const violation = new Promise<string>((resolve) =>
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), {
        once: true,
      }),
    );
    const script = document.createElement('script');
    script.textContent = 'globalThis.ran = true';
    document.head.append(script);
    return { directive: await violation, ran: 'ran' in globalThis };
  });
  expect([directive, ran]).toEqual(['script-src-elem', false]);
  const reached = await window.evaluate(() =>
    fetch('https://example.org/').then(
      () => true,
      () => false,
    ),
  );
  expect(reached).toBe(false);
});

test('serves nothing from outside of the interface', async () => {
  const statuses = await window.evaluate(() =>
    Promise.all(
      ['..%2f..%2fpackage.json', '%2e%2e/main/main.js', 'none.js'].map(
        async (path) => (await fetch(`/${path}`)).status,
      ),
    ),
  );
  expect(statuses).toEqual([404, 404, 404]);
});

test('goes nowhere and opens no window, but hands web links to the system', async () => {
  await app.evaluate(({ shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { opened });
    shell.openExternal = async (url: string) => void opened.push(url);
  });
  const before = window.url();
  await window.evaluate(() => location.assign('https://example.org/'));
  const openedWindow = await window.evaluate(() => [
    open('https://example.org/a') === null,
    open('file:///etc/passwd') === null,
  ]);
  expect(openedWindow).toEqual([true, true]);
  expect(window.url()).toBe(before);
  expect(app.windows()).toHaveLength(1);
  const opened = await app.evaluate(() => (globalThis as unknown as { opened: string[] }).opened);
  expect(opened).toEqual(['https://example.org/a']);
});

test('refuses permissions that the interface does not need', async () => {
  const state = await window.evaluate(async () => (await navigator.permissions.query({ name: 'geolocation' })).state);
  expect(state).toBe('denied');
});

test('answers the bridge, and refuses what does not match', async () => {
  const answers = await window.evaluate(async () => {
    const bridge = globalThis.teahouse;
    return [await bridge?.describe({}), await bridge?.setServerOrigin({ origin: 'http://tea.example.org' })];
  });
  expect(answers).toMatchObject([
    { ok: true, result: { serverOrigin: 'http://localhost:9' } },
    { ok: false, error: { code: 'params_invalid' } },
  ]);
});

test('remembers its server', async () => {
  await window.evaluate(() => globalThis.teahouse?.setServerOrigin({ origin: 'https://tea.example.org' }));
  await app.close();
  await launch();
  const answer = await window.evaluate(() => globalThis.teahouse?.describe({}));
  expect(answer).toMatchObject({ result: { serverOrigin: 'https://tea.example.org' } });
});
