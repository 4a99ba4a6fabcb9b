import { expect, test } from 'vitest';
import { listDevices, recallChoice, rememberChoice } from './device-choice.ts';
import type { MediaDevicesPort } from './capture.ts';

const device = (kind: MediaDeviceKind, deviceId: string) => ({ kind, deviceId, label: deviceId, groupId: '' });

test('devices are sorted by kind, without aliases of the default', async () => {
  const found = [
    device('audioinput', 'default'),
    device('audioinput', 'mic'),
    device('videoinput', 'cam'),
    device('audiooutput', 'communications'),
    device('audiooutput', 'speaker'),
    // As a browser lists them before it may tell more than that there are some.
    device('videoinput', ''),
  ];
  const port = { enumerateDevices: async () => found } as unknown as MediaDevicesPort;
  expect(await listDevices(port)).toEqual({
    microphone: [{ deviceId: 'mic', label: 'mic' }],
    camera: [{ deviceId: 'cam', label: 'cam' }],
    speaker: [{ deviceId: 'speaker', label: 'speaker' }],
  });
  expect(await listDevices(undefined)).toEqual({ microphone: [], camera: [], speaker: [] });
});

test('a choice outlives the page; anything else in its place counts as none', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const chosen = { microphone: 'mic', camera: '', speaker: 'speaker' };
  rememberChoice(storage, chosen);
  expect(recallChoice(storage)).toEqual(chosen);
  const none = { microphone: '', camera: '', speaker: '' };
  for (const rubbish of ['{', 'null', '3', '[]', '{"microphone":7}']) {
    expect(recallChoice({ ...storage, getItem: () => rubbish })).toEqual(none);
  }
  expect(recallChoice(null)).toEqual(none);
});

test('a storage that refuses is no reason to fail', () => {
  const storage = {
    getItem: (): string | null => {
      throw new DOMException('no', 'SecurityError');
    },
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  };
  expect(recallChoice(storage).camera).toBe('');
  expect(() => rememberChoice(storage, { microphone: '', camera: '', speaker: '' })).not.toThrow();
});
