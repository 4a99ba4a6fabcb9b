import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { BRIDGE_CALLS, BridgeAnswer, BridgeError } from '../../protocol/ipc/bridge.ts';
import { EVENT_CHANNEL, INVOKE_CHANNEL } from '../../protocol/ipc/names.ts';
import { createAppPage } from '../shell/app-page.ts';
import { serveBridge, tellInterface, type BridgeHandlers } from './router.ts';

const page = createAppPage(null);

interface FakeFrame {
  url: string;
  processId: number;
  frameToken: string;
  parent: object | null;
}

function setUp(overrides: Partial<BridgeHandlers> = {}) {
  const frame: FakeFrame = { url: page.url, processId: 7, frameToken: 'main', parent: null };
  const contents = { mainFrame: frame, isDestroyed: () => false, send: vi.fn() };
  const handlers: BridgeHandlers = {
    describe: () => ({
      platform: 'linux',
      version: '1.0.0',
      serverOrigin: null,
      firstServerOrigin: null,
      secretStore: 'system',
    }),
    setServerOrigin: vi.fn(() => ({})),
    sealSecret: ({ plain }) => ({ sealed: plain }),
    openSecret: ({ sealed }) => ({ plain: sealed }),
    notify: () => ({}),
    setBadge: vi.fn(() => ({})),
    takeDeepLink: () => ({ invitation: null, reset: null }),
    chooseScreen: () => ({}),
    ...overrides,
  };
  const onBug = vi.fn();
  let listener: (...args: unknown[]) => unknown = () => undefined;
  const handle = vi.fn((_channel: string, given: (...args: never[]) => unknown) => {
    listener = given as typeof listener;
  });
  let current: typeof contents | null = contents;
  serveBridge({ ipcMain: { handle } as never, page, contents: () => current, handlers, onBug });
  const call = async (name: unknown, params: unknown, event: object = { sender: contents, senderFrame: frame }) =>
    BridgeAnswer.parse(await listener(event, name, params));
  return { call, contents, frame, handle, handlers, onBug, close: () => (current = null) };
}

const codeOf = (answer: BridgeAnswer) => (answer.ok ? null : answer.error.code);

describe('the router', () => {
  it('hears one channel and answers a call of the interface', async () => {
    const { call, handle } = setUp();
    expect(handle.mock.calls.map(([channel]) => channel)).toEqual([INVOKE_CHANNEL]);
    expect(await call('describe', {})).toMatchObject({ ok: true, result: { version: '1.0.0' } });
  });

  it('refuses every sender but the main frame of the window showing the interface', async () => {
    const { call, contents, frame, handlers, close } = setUp();
    const senders: object[] = [
      { sender: contents, senderFrame: null },
      { sender: {}, senderFrame: frame },
      { sender: contents, senderFrame: { ...frame, frameToken: 'other' } },
      { sender: contents, senderFrame: { ...frame, processId: 8 } },
      { sender: contents, senderFrame: { ...frame, parent: {} } },
      { sender: contents, senderFrame: { ...frame, url: 'https://tea.example.org/' } },
      { sender: contents, senderFrame: { ...frame, url: 'app://teahouse.example/' } },
      { sender: contents, senderFrame: { ...frame, url: 'file:///app/index.html' } },
      { sender: contents, senderFrame: { ...frame, url: 'about:blank' } },
      { sender: contents, senderFrame: { ...frame, url: '' } },
    ];
    for (const sender of senders) {
      expect(codeOf(await call('setBadge', { count: 1 }, sender))).toBe('sender_refused');
    }
    close();
    expect(codeOf(await call('setBadge', { count: 1 }))).toBe('sender_refused');
    expect(handlers.setBadge).not.toHaveBeenCalled();
  });

  it('refuses unknown calls, also those that every object inherits', async () => {
    const { call } = setUp();
    for (const name of [
      'unknown',
      'constructor',
      '__proto__',
      'toString',
      '',
      null,
      5,
      ['describe'],
      { name: 'describe' },
    ]) {
      expect(codeOf(await call(name, {}))).toBe('call_unknown');
    }
  });

  it('refuses params that do not match, without telling the handler or repeating them', async () => {
    const { call, handlers } = setUp();
    for (const params of [
      undefined,
      null,
      {},
      { count: -1 },
      { count: 1.5 },
      { count: '1' },
      { count: 1, more: 1 },
      [1],
    ]) {
      expect(codeOf(await call('setBadge', params))).toBe('params_invalid');
    }
    const answer = await call('setServerOrigin', { origin: 'https://secret-words.example/x' });
    expect(codeOf(answer)).toBe('params_invalid');
    expect(JSON.stringify(answer)).not.toContain('secret-words');
    expect(handlers.setBadge).not.toHaveBeenCalled();
    expect(handlers.setServerOrigin).not.toHaveBeenCalled();
  });

  it('answers anything at all with a well-formed answer', async () => {
    const { call, onBug } = setUp();
    const name = fc.oneof(fc.constantFrom(...Object.keys(BRIDGE_CALLS)), fc.anything());
    await fc.assert(fc.asyncProperty(name, fc.anything(), async (called, params) => void (await call(called, params))));
    expect(onBug).not.toHaveBeenCalled();
  });

  it('passes refusals on with their code', async () => {
    const { call, onBug } = setUp({
      openSecret: () => {
        throw new BridgeError('secret_unreadable', 'damaged');
      },
    });
    expect(codeOf(await call('openSecret', { sealed: new Uint8Array(3) }))).toBe('secret_unreadable');
    expect(onBug).not.toHaveBeenCalled();
  });

  it('shows nothing of a bug to the interface, but reports it', async () => {
    const bug = new Error('/home/ann/secret');
    const { call, onBug } = setUp({ setBadge: () => Promise.reject(bug) });
    const answer = await call('setBadge', { count: 1 });
    expect(codeOf(answer)).toBe('internal');
    expect(JSON.stringify(answer)).not.toContain('ann');
    expect(onBug).toHaveBeenCalledWith('setBadge', bug);
  });

  it('answers with nothing that its schema does not know', async () => {
    const { call, onBug } = setUp({
      takeDeepLink: () => ({ invitation: null, reset: null, path: '/home/ann' }) as never,
    });
    expect(codeOf(await call('takeDeepLink', {}))).toBe('internal');
    expect(onBug).toHaveBeenCalledOnce();
  });
});

describe('tellInterface', () => {
  it('sends a parsed event to the interface', () => {
    const { contents } = setUp();
    expect(tellInterface(contents, page, 'notificationClicked', { tag: 'a' })).toBe(true);
    expect(contents.send).toHaveBeenCalledWith(EVENT_CHANNEL, 'notificationClicked', { tag: 'a' });
  });

  it('sends nothing to another page, a closed window or no window', () => {
    const { contents, frame } = setUp();
    frame.url = 'https://tea.example.org/';
    expect(tellInterface(contents, page, 'deepLinkArrived', {})).toBe(false);
    frame.url = page.url;
    expect(tellInterface({ ...contents, isDestroyed: () => true }, page, 'deepLinkArrived', {})).toBe(false);
    expect(tellInterface(null, page, 'deepLinkArrived', {})).toBe(false);
    expect(contents.send).not.toHaveBeenCalled();
  });
});
