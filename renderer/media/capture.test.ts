import { describe, expect, test } from 'vitest';
import { FakeDevices } from './testing/fake-devices.ts';
import { capture, openScreen, problemOf, type MediaDevicesPort } from './capture.ts';

const BOTH = { microphone: { deviceId: '', exact: false }, camera: { deviceId: 'cam', exact: false } };
const port = (devices: FakeDevices) => devices as unknown as MediaDevicesPort;

describe('capture', () => {
  test('asks once for both, with echo cancellation and the remembered camera', async () => {
    const devices = new FakeDevices();
    const got = await capture(port(devices), BOTH);
    expect(got).toMatchObject({ problem: null });
    expect(devices.constraints).toHaveLength(1);
    expect(devices.constraints[0]).toMatchObject({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      video: { deviceId: { ideal: 'cam' } },
    });
  });

  test('a missing camera does not cost the voice', async () => {
    const devices = new FakeDevices();
    devices.refuse = { video: 'NotFoundError' };
    const got = await capture(port(devices), BOTH);
    expect([got.microphone !== null, got.camera, got.problem]).toEqual([true, null, 'missing']);
  });

  test('nothing is allowed: the call goes on without, and says why', async () => {
    const devices = new FakeDevices();
    devices.refuse = { audio: 'NotAllowedError', video: 'NotAllowedError' };
    expect(await capture(port(devices), BOTH)).toEqual({ microphone: null, camera: null, problem: 'permission' });
    expect(await capture(undefined, BOTH)).toEqual({ microphone: null, camera: null, problem: 'permission' });
  });

  test('nothing but the wish is opened', async () => {
    const devices = new FakeDevices();
    await capture(port(devices), { microphone: BOTH.microphone });
    expect(devices.opened.map(({ kind }) => kind)).toEqual(['audio']);
  });
});

test('the browser’s errors by what one can do about them', () => {
  const named = (name: string) => problemOf(new DOMException('x', name));
  expect(named('NotAllowedError')).toBe('permission');
  expect(named('NotFoundError')).toBe('missing');
  expect(named('OverconstrainedError')).toBe('missing');
  expect(named('NotReadableError')).toBe('busy');
  expect(named('AbortError')).toBe('busy');
});

describe('sharing a screen', () => {
  test('comes with its sound, marked as something to read', async () => {
    const screen = await openScreen(port(new FakeDevices()));
    expect([screen?.video.contentHint, screen?.audio?.contentHint]).toEqual(['detail', 'music']);
  });
  test('choosing nothing is no error', async () => {
    const devices = new FakeDevices();
    devices.refuse = { screen: 'NotAllowedError' };
    expect(await openScreen(port(devices))).toBeNull();
  });
  test('a screen that cannot be had is', async () => {
    const devices = new FakeDevices();
    devices.refuse = { screen: 'NotReadableError' };
    await expect(openScreen(port(devices))).rejects.toMatchObject({ problem: 'busy' });
  });
});
