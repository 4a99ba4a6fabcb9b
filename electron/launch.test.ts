import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BridgeAnswer, type BridgeCall } from '../protocol/ipc/bridge.ts';
import { INVOKE_CHANNEL } from '../protocol/ipc/names.ts';
import { joinDeepLink, resetDeepLink } from '../protocol/ipc/server-address.ts';
import { launchApp } from './launch.ts';
import { createFakeElectron } from './testing/fake-electron.ts';

const SERVER = 'https://tea.example.org';
const OTHER = 'https://other.example.org';
const TOKEN = 't'.repeat(43);

let userData: string;
beforeEach(() => void (userData = mkdtempSync(join(tmpdir(), 'launch-'))));
afterEach(() => rmSync(userData, { recursive: true }));

interface StartOptions {
  readonly argv?: readonly string[];
  readonly env?: Record<string, string>;
  readonly platform?: NodeJS.Platform;
  readonly isPackaged?: boolean;
  readonly secondInstance?: boolean;
  /** How every dialog is answered. */
  readonly agrees?: boolean;
}

async function start({
  argv = [],
  env = {},
  platform = 'linux',
  isPackaged = true,
  secondInstance = false,
  agrees = false,
}: StartOptions = {}) {
  const fake = createFakeElectron(userData, isPackaged);
  fake.lock.granted = !secondInstance;
  fake.dialog.response = agrees ? 1 : 0;
  const errors: string[] = [];
  launchApp({
    electron: fake.electron,
    process: { platform, env, argv: ['teahouse', ...argv], stderr: { write: (text: string) => errors.push(text) } },
    out: '/opt/teahouse/out',
  });
  await new Promise(setImmediate);
  /** As the interface in the newest window calls. */
  const call = async (name: BridgeCall, params: object) => {
    const sender = fake.windows.at(-1)!.webContents;
    const listener = fake.ipc[INVOKE_CHANNEL] as (...args: unknown[]) => Promise<unknown>;
    const answer = BridgeAnswer.parse(await listener({ sender, senderFrame: sender.mainFrame }, name, params));
    return answer.ok ? answer.result : answer.error.code;
  };
  const savedServer = () => JSON.parse(readFileSync(join(userData, 'settings.json'), 'utf8')).serverOrigin;
  return { ...fake, errors, call, savedServer };
}

describe('starting', () => {
  it('sandboxes every page and knows its scheme before Electron is ready, then opens the interface', async () => {
    const { log, windows } = await start();
    expect(log.slice(0, 4)).toEqual([
      'enableSandbox',
      'privileges app',
      'setAsDefaultProtocolClient teahouse',
      'ready',
    ]);
    expect(windows.map(({ loaded }) => loaded)).toEqual([['app://teahouse/index.html']]);
    expect(windows[0]!.done).toEqual([]);
    windows[0]!.emit('ready-to-show');
    expect(windows[0]!.done).toEqual(['show']);
  });

  it('leaves the field to the instance that already runs', async () => {
    const { log, windows } = await start({ secondInstance: true });
    expect(windows).toEqual([]);
    expect(log.at(-1)).toBe('quit');
  });

  it('says what is wrong with a server that is none, and ends', async () => {
    const { errors, log, windows } = await start({ argv: ['--server=http://tea.example.org'] });
    expect(errors.join('')).toMatch(/^The server must be given as https/);
    expect(log.at(-1)).toBe('exit 1');
    expect(windows).toEqual([]);
  });

  it('shows a development server’s interface only if it is not installed', async () => {
    const env = { ELECTRON_RENDERER_URL: 'http://localhost:5173' };
    expect((await start({ env, isPackaged: false })).windows[0]!.loaded).toEqual(['http://localhost:5173/']);
    expect((await start({ env })).windows[0]!.loaded).toEqual(['app://teahouse/index.html']);
  });
});

describe('the server', () => {
  it('is unknown at first, then kept', async () => {
    const first = await start();
    expect(await first.call('describe', {})).toEqual({
      platform: 'linux',
      version: '1.2.3',
      serverOrigin: null,
      firstServerOrigin: null,
      secretStore: 'unprotected',
    });
    expect(await first.call('setServerOrigin', { origin: SERVER })).toEqual({});
    expect(await (await start()).call('describe', {})).toMatchObject({ serverOrigin: SERVER });
  });

  it('can be given for one run, without being kept', async () => {
    await (await start()).call('setServerOrigin', { origin: SERVER });
    const run = await start({ argv: ['--server=http://localhost:8443'], agrees: true });
    expect(run.dialog.asked[0]!.message).toContain('http://localhost:8443');
    expect(await run.call('describe', {})).toMatchObject({ serverOrigin: 'http://localhost:8443' });
    expect(run.windows[0]!.loaded).toHaveLength(2);
    expect(run.savedServer()).toBe(SERVER);
  });

  it('given for one run is not used unasked where the app belongs to another', async () => {
    await (await start()).call('setServerOrigin', { origin: SERVER });
    for (const run of [{ argv: [`--server=${OTHER}`] }, { env: { TEAHOUSE_SERVER: OTHER } }]) {
      const { call, dialog, windows } = await start(run);
      expect(dialog.asked).toHaveLength(1);
      expect(await call('describe', {})).toMatchObject({ serverOrigin: SERVER });
      expect(windows[0]!.loaded).toHaveLength(1);
    }
  });

  it('is asked about when the page wants another, and stays if the person says no', async () => {
    const first = await start();
    await first.call('setServerOrigin', { origin: SERVER });
    expect(first.dialog.asked, 'the first one needs no question').toEqual([]);
    expect(await first.call('setServerOrigin', { origin: OTHER })).toBe('server_refused');
    expect(first.dialog.asked).toHaveLength(1);
    expect(first.savedServer()).toBe(SERVER);
    first.dialog.response = 1;
    expect(await first.call('setServerOrigin', { origin: OTHER })).toEqual({});
    expect(await first.call('describe', {})).toMatchObject({ serverOrigin: OTHER });
  });

  it('is the only one that a page may reach, as of when it is loaded', async () => {
    const { session, call } = await start();
    const serve = session.handlers['scheme:app'] as unknown as (request: object) => Promise<Response>;
    const policy = async () =>
      (await serve({ url: 'app://teahouse/', method: 'GET' })).headers.get('content-security-policy');
    expect(await policy()).toContain("connect-src 'self';");
    await call('setServerOrigin', { origin: SERVER });
    expect(await policy()).toContain(`connect-src 'self' ${SERVER} wss://tea.example.org;`);
  });
});

describe('deep links', () => {
  const link = joinDeepLink(SERVER, TOKEN);

  it('start the app, which asks about the server and then loads the interface for it', async () => {
    const fake = createFakeElectron(userData);
    fake.dialog.response = 1;
    launchApp({
      electron: fake.electron,
      process: { platform: 'linux', env: {}, argv: ['teahouse', link], stderr: { write: () => true } },
      out: '/opt/teahouse/out',
    });
    await vi.waitFor(() => expect(fake.windows[0]?.loaded).toHaveLength(2));
    expect(fake.dialog.asked[0]!.message).toContain(SERVER);
  });

  it('reach the running app from a second start, and from macOS', async () => {
    const { app, windows, call } = await start({ argv: [`--server=${SERVER}`] });
    const contents = windows[0]!.webContents;
    app.emit('second-instance', {}, ['teahouse', link]);
    await vi.waitFor(() => expect(contents.sent).toHaveLength(1));
    expect(contents.sent[0]!.slice(1)).toEqual(['deepLinkArrived', {}]);
    expect(windows[0]!.done).toContain('focus');
    expect(await call('takeDeepLink', {})).toEqual({ invitation: TOKEN, reset: null });
    expect(await call('takeDeepLink', {})).toEqual({ invitation: null, reset: null });

    const preventDefault = vi.fn();
    app.emit('open-url', { preventDefault }, link);
    expect(preventDefault).toHaveBeenCalledOnce();
    await vi.waitFor(async () => expect(await call('takeDeepLink', {})).toEqual({ invitation: TOKEN, reset: null }));
  });

  it('open the page for a new password, too', async () => {
    const { app, windows, call } = await start({ argv: [`--server=${SERVER}`] });
    app.emit('second-instance', {}, ['teahouse', resetDeepLink(SERVER, TOKEN)]);
    await vi.waitFor(() => expect(windows[0]!.webContents.sent).toHaveLength(1));
    expect(await call('takeDeepLink', {})).toEqual({ invitation: null, reset: TOKEN });
    expect(await call('takeDeepLink', {})).toEqual({ invitation: null, reset: null });
  });

  it('change nothing if the person says no, or the link is broken', async () => {
    const { app, dialog, windows, call } = await start({ argv: [`--server=${SERVER}`] });
    app.emit('second-instance', {}, ['teahouse', joinDeepLink(OTHER, TOKEN)]);
    await vi.waitFor(() => expect(dialog.asked).toHaveLength(1));
    app.emit('second-instance', {}, ['teahouse', 'teahouse://join#nonsense']);
    await new Promise(setImmediate);
    expect(dialog.asked).toHaveLength(1);
    expect(await call('describe', {})).toMatchObject({ serverOrigin: SERVER });
    expect(await call('takeDeepLink', {})).toEqual({ invitation: null, reset: null });
    expect(windows[0]!.loaded).toHaveLength(1);
  });
});

describe('the window', () => {
  it('comes to the front on a second start, and comes back where it was', async () => {
    const { app, windows } = await start();
    app.emit('second-instance', {}, ['teahouse']);
    await vi.waitFor(() => expect(windows[0]!.done).toEqual(['show', 'focus']));
    windows[0]!.emit('close');
    windows[0]!.emit('closed');
    app.emit('activate');
    await vi.waitFor(() => expect(windows).toHaveLength(2));
    expect(windows[1]!.options).toMatchObject({ x: 10, y: 20, width: 900, height: 700, minWidth: 360 });
  });

  it('ends the app when closed, except where apps stay', async () => {
    const linux = await start();
    linux.app.emit('window-all-closed');
    expect(linux.log.at(-1)).toBe('quit');
    const mac = await start({ platform: 'darwin' });
    mac.app.emit('window-all-closed');
    expect(mac.log).not.toContain('quit');
  });

  it('loads the interface anew when its process died, and asks when that does not help', async () => {
    const { windows, dialog, log } = await start();
    const { webContents } = windows[0]!;
    webContents.emit('render-process-gone', {}, { reason: 'clean-exit' });
    expect(webContents.reloads).toBe(0);
    for (let count = 0; count < 4; count += 1) webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(webContents.reloads).toBe(3);
    await vi.waitFor(() => expect(log.at(-1)).toBe('quit'));
    expect(dialog.asked[0]!.message).toBe('Teahouse keeps failing');
  });
});

describe('badge and notifications', () => {
  it('reach the system, and a click reaches the interface', async () => {
    const { call, log, app } = await start();
    await call('setBadge', { count: 4 });
    await call('notify', { tag: 'chat', title: 'Ann', body: 'Hello' });
    expect(log.slice(-2)).toEqual(['badge 4', 'notification']);
    app.emit('will-quit');
    await vi.waitFor(() => expect(log.at(-1)).toBe('notification closed'));
  });
});
