import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScreenRequest, TeahouseBridge } from '../../protocol/ipc/bridge.ts';
import { createElectronHost, type ElectronHostOptions } from './electron.ts';

const TOKEN = 'i'.repeat(43);
const ok = (result: unknown) => ({ ok: true, result });
const refused = (code: string) => ({ ok: false, error: { code, message: '' } });

/** A shell that answers as told and remembers what it was asked. */
function fakeBridge(description: object = {}, answers: Record<string, () => unknown> = {}) {
  const asked: [string, unknown][] = [];
  const listeners: Record<string, ((params: unknown) => void)[]> = {};
  const defaults: Record<string, () => unknown> = {
    describe: () =>
      ok({ platform: 'linux', version: '1.2.3', serverOrigin: null, secretStore: 'system', ...description }),
    takeDeepLink: () => ok({ invitation: null, reset: null }),
  };
  const call = (name: string) => async (params: unknown) => {
    asked.push([name, params]);
    return (answers[name] ?? defaults[name] ?? (() => ok({})))();
  };
  const listen = (name: string) => (listener: (params: unknown) => void) => {
    (listeners[name] ??= []).push(listener);
    return () => void (listeners[name] = listeners[name]!.filter((other) => other !== listener));
  };
  const calls = [
    'describe',
    'setServerOrigin',
    'sealSecret',
    'openSecret',
    'notify',
    'setBadge',
    'takeDeepLink',
    'chooseScreen',
  ];
  const events = ['DeepLinkArrived', 'NotificationClicked', 'ScreenRequested'];
  const bridge = Object.fromEntries([
    ...calls.map((name) => [name, call(name)]),
    ...events.map((name) => [`on${name}`, listen(name)]),
  ]) as unknown as TeahouseBridge;
  const emit = (name: string, params: unknown) => listeners[name]?.forEach((listener) => listener(params));
  const paramsOf = (name: string) => asked.flatMap(([called, params]) => (called === name ? [params] : []));
  return { bridge, emit, paramsOf };
}

const open = (bridge: TeahouseBridge, options: ElectronHostOptions = {}) =>
  createElectronHost(bridge, { reload: () => {}, pickScreen: async () => null, ...options });

const reported = vi.fn();
beforeEach(() => {
  reported.mockClear();
  vi.stubGlobal('reportError', reported);
});
afterEach(() => vi.unstubAllGlobals());

describe('the desktop host', () => {
  it('says what it is', async () => {
    const host = await open(fakeBridge({ platform: 'mac' }).bridge);
    expect([host.kind, host.clientName, host.deviceName]).toEqual([
      'electron',
      'Teahouse 1.2.3 on macOS',
      'Teahouse on macOS',
    ]);
    expect(await host.serverOrigin()).toBeNull();
  });

  it('does not start on an answer that makes no sense', async () => {
    await expect(open(fakeBridge({ platform: 'plan9' }).bridge)).rejects.toThrow();
    await expect(open(fakeBridge({}, { describe: () => refused('sender_refused') }).bridge)).rejects.toMatchObject({
      code: 'sender_refused',
    });
    await expect(open(fakeBridge({}, { describe: () => undefined }).bridge)).rejects.toThrow();
  });

  it('loads the page anew for another server, and nothing runs on the old one', async () => {
    const { bridge, paramsOf } = fakeBridge();
    const reload = vi.fn();
    const host = await open(bridge, { reload });
    const after = vi.fn();
    void host.setServerOrigin('https://tea.example.org').then(after);
    await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
    expect(paramsOf('setServerOrigin')).toEqual([{ origin: 'https://tea.example.org' }]);
    await new Promise(setImmediate);
    expect(after).not.toHaveBeenCalled();
  });

  it('stays on the page for the same server, and when the shell refuses', async () => {
    const reload = vi.fn();
    const same = await open(fakeBridge({ serverOrigin: 'https://tea.example.org' }).bridge, { reload });
    await same.setServerOrigin('https://tea.example.org');
    const refusing = await open(fakeBridge({}, { setServerOrigin: () => refused('params_invalid') }).bridge, {
      reload,
    });
    await expect(refusing.setServerOrigin('http://x')).rejects.toMatchObject({ code: 'params_invalid' });
    expect(reload).not.toHaveBeenCalled();
  });
});

describe('secrets', () => {
  it('are sealed and opened by the system', async () => {
    const { bridge, paramsOf } = fakeBridge(
      {},
      { sealSecret: () => ok({ sealed: Uint8Array.of(9) }), openSecret: () => ok({ plain: Uint8Array.of(1) }) },
    );
    const { secrets } = await open(bridge);
    expect(await secrets!.seal(Uint8Array.of(1))).toEqual(Uint8Array.of(9));
    expect(await secrets!.open(Uint8Array.of(9))).toEqual(Uint8Array.of(1));
    expect(paramsOf('sealSecret')).toEqual([{ plain: Uint8Array.of(1) }]);
    expect(paramsOf('openSecret')).toEqual([{ sealed: Uint8Array.of(9) }]);
  });

  it('say by their code why not', async () => {
    const { secrets } = await open(fakeBridge({}, { openSecret: () => refused('secret_unreadable') }).bridge);
    await expect(secrets!.open(Uint8Array.of(9))).rejects.toMatchObject({ code: 'secret_unreadable' });
  });

  it('are left to the interface where the system keeps no key', async () => {
    expect((await open(fakeBridge({ secretStore: 'unprotected' }).bridge)).secrets).toBeNull();
  });
});

describe('notifications and badge', () => {
  it('pass on what can be shown, and the click to whom it belongs, once', async () => {
    const { bridge, emit, paramsOf } = fakeBridge();
    const host = await open(bridge);
    const [first, second] = [vi.fn(), vi.fn()];
    host.notify({ tag: 'a', title: '\u202eAnn\0', body: `Hello\n${'x'.repeat(2000)}`, onClick: first });
    host.notify({ tag: 'b', title: 'Bob', body: '', onClick: second });
    const [shown] = paramsOf('notify') as { title: string; body: string }[];
    expect(shown!.title).toBe(' Ann ');
    expect(shown!.body).toMatch(/^Hello\nx+…$/);
    expect(shown!.body).toHaveLength(1000);
    emit('NotificationClicked', { tag: 'b' });
    emit('NotificationClicked', { tag: 'b' });
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  });

  it('never cuts a character in half', async () => {
    const { bridge, paramsOf } = fakeBridge();
    (await open(bridge)).notify({ tag: 'a', title: 'x'.repeat(198) + '🍵🍵', body: '', onClick: () => {} });
    expect((paramsOf('notify') as { title: string }[])[0]!.title.isWellFormed()).toBe(true);
  });

  it('keep a count in the bounds of the bridge', async () => {
    const { bridge, paramsOf } = fakeBridge();
    const host = await open(bridge);
    for (const count of [-1, 2.7, 1e9]) host.setBadge(count);
    expect(paramsOf('setBadge')).toEqual([{ count: 0 }, { count: 2 }, { count: 9999 }]);
  });

  it('report a refusal instead of failing where they are used', async () => {
    const host = await open(fakeBridge({}, { setBadge: () => refused('internal') }).bridge);
    host.setBadge(1);
    await vi.waitFor(() => expect(reported).toHaveBeenCalledWith(expect.objectContaining({ code: 'internal' })));
  });
});

describe('deep links', () => {
  it('are taken at once if one started the app, and as they arrive, until undone', async () => {
    const invitations: (string | null)[] = [TOKEN, null, TOKEN];
    const { bridge, emit, paramsOf } = fakeBridge(
      {},
      { takeDeepLink: () => ok({ invitation: invitations.shift() ?? null, reset: null }) },
    );
    const host = await open(bridge);
    const heard = vi.fn();
    const stop = host.onDeepLink(heard);
    await vi.waitFor(() => expect(heard.mock.calls).toEqual([[`#/join/${TOKEN}`]]));
    emit('DeepLinkArrived', {});
    await vi.waitFor(() => expect(paramsOf('takeDeepLink')).toHaveLength(2));
    expect(heard).toHaveBeenCalledOnce();
    emit('DeepLinkArrived', {});
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2));
    stop();
    emit('DeepLinkArrived', {});
    await new Promise(setImmediate);
    expect(paramsOf('takeDeepLink')).toHaveLength(3);
  });

  it('lead to the page for a new password', async () => {
    const { bridge } = fakeBridge({}, { takeDeepLink: () => ok({ invitation: null, reset: TOKEN }) });
    const heard = vi.fn();
    (await open(bridge)).onDeepLink(heard);
    await vi.waitFor(() => expect(heard.mock.calls).toEqual([[`#/reset/${TOKEN}`]]));
  });
});

describe('screen share', () => {
  const request: ScreenRequest = {
    requestId: '5f1c9c1e-7d0b-4c55-9a52-7c8c2f6d9b11',
    sources: [{ id: 'screen:0:0', name: 'Entire screen', kind: 'screen', thumbnail: null }],
    canShareAudio: false,
  };

  it('asks the person and answers the shell', async () => {
    const { bridge, emit, paramsOf } = fakeBridge();
    const choice = { sourceId: 'screen:0:0', audio: false };
    const pickScreen = vi.fn(async () => choice);
    await open(bridge, { pickScreen });
    emit('ScreenRequested', request);
    await vi.waitFor(() => expect(paramsOf('chooseScreen')).toEqual([{ requestId: request.requestId, choice }]));
    expect(pickScreen).toHaveBeenCalledWith(request);
  });

  it('answers "nothing" if the person cancels or the picker fails', async () => {
    const { bridge, emit, paramsOf } = fakeBridge();
    const pickScreen = vi.fn().mockResolvedValueOnce(null).mockRejectedValueOnce(new Error('no picker'));
    await open(bridge, { pickScreen });
    emit('ScreenRequested', request);
    emit('ScreenRequested', request);
    const nothing = { requestId: request.requestId, choice: null };
    await vi.waitFor(() => expect(paramsOf('chooseScreen')).toEqual([nothing, nothing]));
  });
});
