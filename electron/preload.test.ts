import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'vite';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { BRIDGE_CALLS, type TeahouseBridge } from '../protocol/ipc/bridge.ts';
import { EVENT_CHANNEL, INVOKE_CHANNEL } from '../protocol/ipc/names.ts';

let script: string;
beforeAll(async () => {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      rollupOptions: {
        input: join(import.meta.dirname, 'preload.ts'),
        external: ['electron'],
        output: { format: 'cjs' },
        preserveEntrySignatures: false,
      },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as { output: { code: string }[] };
  expect(output).toHaveLength(1);
  script = output[0]!.code;
});

/** Runs the built script as Electron's sandbox does: CommonJS, with nothing but `electron` to require. */
function run() {
  const exposed: Record<string, TeahouseBridge> = {};
  const listeners = new Set<(...args: unknown[]) => void>();
  const ipcRenderer = {
    invoke: vi.fn(async (..._args: unknown[]) => 'answer'),
    on: vi.fn((_channel: string, listener: (...args: unknown[]) => void) => void listeners.add(listener)),
    removeListener: vi.fn(
      (_channel: string, listener: (...args: unknown[]) => void) => void listeners.delete(listener),
    ),
  };
  const contextBridge = { exposeInMainWorld: (name: string, value: TeahouseBridge) => void (exposed[name] = value) };
  const require = (name: string) => {
    if (name !== 'electron') throw new Error(`${name} is not there`);
    return { contextBridge, ipcRenderer };
  };
  runInNewContext(script, { require, exports: {}, module: {} });
  return {
    exposed,
    ipcRenderer,
    emit: (...args: unknown[]) => listeners.forEach((listener) => listener(...args)),
    listeners,
  };
}

describe('the preload', () => {
  it('shows the page named functions and nothing else', () => {
    const { exposed } = run();
    expect(Object.keys(exposed)).toEqual(['teahouse']);
    const events = ['onDeepLinkArrived', 'onNotificationClicked', 'onScreenRequested'];
    expect(Object.keys(exposed['teahouse']!).sort()).toEqual([...Object.keys(BRIDGE_CALLS), ...events].sort());
    expect(Object.values(exposed['teahouse']!).every((value) => typeof value === 'function')).toBe(true);
  });

  it('passes each call on under its own name', async () => {
    const { exposed, ipcRenderer } = run();
    const bridge = exposed['teahouse']! as unknown as Record<string, (...params: unknown[]) => Promise<unknown>>;
    for (const name of Object.keys(BRIDGE_CALLS)) {
      // A second argument does not reach the channel.
      expect(await bridge[name]!({ of: name }, 'more')).toBe('answer');
      expect(ipcRenderer.invoke.mock.lastCall).toEqual([INVOKE_CHANNEL, name, { of: name }]);
    }
  });

  it('gives each listener the params of its own event, and never the event of Electron', () => {
    const { exposed, ipcRenderer, emit, listeners } = run();
    const heard = vi.fn();
    const stop = exposed['teahouse']!.onNotificationClicked(heard);
    expect(ipcRenderer.on.mock.calls[0]![0]).toBe(EVENT_CHANNEL);
    emit({ sender: 'ipcRenderer' }, 'deepLinkArrived', {});
    expect(heard).not.toHaveBeenCalled();
    emit({ sender: 'ipcRenderer' }, 'notificationClicked', { tag: 'a' });
    expect(heard.mock.calls).toEqual([[{ tag: 'a' }]]);
    expect(stop()).toBeUndefined();
    expect(listeners.size).toBe(0);
  });

  it('is small: the schemas stay in the main process', () => {
    expect(script.length).toBeLessThan(4000);
  });
});
