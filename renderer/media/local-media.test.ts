import { beforeEach, describe, expect, test } from 'vitest';
import type { Source } from '../../protocol/calls.ts';
import { FakeDevices } from './testing/fake-devices.ts';
import type { MediaDevicesPort } from './capture.ts';
import { LocalMedia } from './local-media.svelte.ts';

let devices: FakeDevices;
let local: LocalMedia;
let kept: Map<string, string>;
let changes: Source[];

const info = (kind: MediaDeviceKind, deviceId: string) => ({
  kind,
  deviceId,
  label: deviceId,
  groupId: '',
  toJSON: () => ({}),
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  devices = new FakeDevices();
  kept = new Map();
  changes = [];
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  local = new LocalMedia({ devices: devices as unknown as MediaDevicesPort, storage });
  local.onChange((source) => changes.push(source));
});

describe('microphone', () => {
  test('muting disables the track at once and pauses what is sent', async () => {
    await local.open({ camera: false });
    const track = local.track('microphone');
    const muting = local.setMuted(true);
    expect([track?.enabled, local.state('microphone').paused]).toEqual([false, true]);
    await muting;
    await local.setMuted(false);
    expect([track?.enabled, local.state('microphone')]).toEqual([true, { track, paused: false }]);
  });

  test('muted before the microphone is there, it comes muted', async () => {
    const opening = local.open({ camera: false });
    await local.setMuted(true);
    await opening;
    expect(local.track('microphone')?.enabled).toBe(false);
    expect(local.state('microphone').paused).toBe(true);
  });

  test('refused: one counts as muted, and unmuting asks again', async () => {
    devices.refuse = { audio: 'NotAllowedError' };
    await local.open({ camera: false });
    expect([local.muted, local.problem]).toEqual([true, 'permission']);
    devices.refuse = {};
    await local.setMuted(false);
    expect([local.muted, local.problem, local.track('microphone') !== null]).toEqual([false, null, true]);
  });

  test('unplugged: goes on with another, as muted as before', async () => {
    await local.open({ camera: false });
    await local.setMuted(true);
    devices.opened[0]?.end();
    await settled();
    expect(devices.live).toHaveLength(1);
    expect(local.track('microphone')?.enabled).toBe(false);
  });

  test('plugged in later: used at once', async () => {
    devices.refuse = { audio: 'NotFoundError' };
    await local.open({ camera: false });
    devices.refuse = {};
    devices.list = [info('audioinput', 'headset')];
    devices.dispatchEvent(new Event('devicechange'));
    await settled();
    expect(local.track('microphone')).not.toBeNull();
    expect(local.problem).toBeNull();
  });
});

describe('camera', () => {
  test('off stops the track, so that the camera’s light goes out', async () => {
    await local.open({ camera: true });
    const camera = devices.opened.find(({ kind }) => kind === 'video');
    await local.setCamera(false);
    expect([camera?.readyState, local.cameraOn, local.state('camera')]).toEqual([
      'ended',
      false,
      { track: null, paused: true },
    ]);
    await local.setCamera(true);
    expect(local.state('camera')).toEqual({ track: local.track('camera'), paused: false });
    expect(local.track('camera')?.readyState).toBe('live');
  });

  test('two quick clicks end where the second says, with no camera left open', async () => {
    await local.open({ camera: false });
    await Promise.all([local.setCamera(true), local.setCamera(false)]);
    expect(local.cameraOn).toBe(false);
    expect(devices.live.filter(({ kind }) => kind === 'video')).toEqual([]);
  });

  test('in use by another program: says so, and stays off', async () => {
    await local.open({ camera: false });
    devices.refuse = { video: 'NotReadableError' };
    await local.setCamera(true);
    expect([local.cameraOn, local.problem]).toEqual([false, 'busy']);
  });

  test('unplugged: off, and says so', async () => {
    await local.open({ camera: true });
    devices.opened.find(({ kind }) => kind === 'video')?.end();
    expect([local.cameraOn, local.problem, local.track('camera')]).toEqual([false, 'missing', null]);
  });
});

describe('screen', () => {
  test('is sent with its sound until stopped, here or in the browser’s own bar', async () => {
    await local.open({ camera: false });
    await local.setSharing(true);
    expect([local.sharing, local.track('screen-audio') !== null]).toEqual([true, true]);
    (local.track('screen') as unknown as { end(): void }).end();
    expect([local.sharing, local.track('screen-audio')]).toEqual([false, null]);
    expect(devices.live).toHaveLength(1);
  });

  test('choosing none changes nothing', async () => {
    devices.refuse = { screen: 'NotAllowedError' };
    await local.setSharing(true);
    expect([local.sharing, local.problem]).toEqual([false, null]);
  });
});

describe('choice of devices', () => {
  test('is used from now on, exactly, and remembered', async () => {
    await local.open({ camera: true });
    await local.choose('camera', 'cam-2');
    expect(devices.constraints.at(-1)?.video).toMatchObject({ deviceId: { exact: 'cam-2' } });
    expect(devices.live.filter(({ kind }) => kind === 'video')).toHaveLength(1);
    expect(kept.get('teahouse.devices')).toContain('cam-2');
    expect(changes.filter((source) => source === 'camera')).toHaveLength(2);
  });

  test('one that cannot be opened leaves the present one running', async () => {
    await local.open({ camera: true });
    const before = local.track('camera');
    devices.refuse = { video: 'OverconstrainedError' };
    await local.choose('camera', 'gone');
    expect([local.track('camera'), local.chosen.camera, local.problem]).toEqual([before, '', 'missing']);
    expect(before?.readyState).toBe('live');
  });

  test('a camera that is off is not switched on by choosing another', async () => {
    await local.open({ camera: false });
    await local.choose('camera', 'cam-2');
    expect(devices.live.map(({ kind }) => kind)).toEqual(['audio']);
  });
});

describe('the end', () => {
  test('releases every device', async () => {
    await local.open({ camera: true });
    await local.setSharing(true);
    local.stop();
    expect(devices.live).toEqual([]);
    expect([local.sharing, local.cameraOn, local.track('microphone')]).toEqual([false, false, null]);
  });

  test('what is granted only afterwards is released on arrival', async () => {
    const opening = local.open({ camera: true });
    local.stop();
    await opening;
    expect(devices.opened).toHaveLength(2);
    expect(devices.live).toEqual([]);
    expect(local.cameraOn).toBe(false);
  });
});
