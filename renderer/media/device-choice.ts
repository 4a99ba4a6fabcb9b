import type { MediaDevicesPort } from './capture.ts';

export type DeviceKind = 'microphone' | 'camera' | 'speaker';

/** A device as the person chooses it. `label` is empty until the browser has been allowed to tell it. */
export interface MediaDeviceOption {
  readonly deviceId: string;
  readonly label: string;
}

export type DeviceLists = Readonly<Record<DeviceKind, readonly MediaDeviceOption[]>>;
/** Device ids; empty is the system's default. */
export type ChosenDevices = Readonly<Record<DeviceKind, string>>;

/** Where choices outlive the page: `localStorage`, or nothing where the browser keeps it shut. */
export type ChoiceStorage = Pick<Storage, 'getItem' | 'setItem'>;

const KEY = 'teahouse.devices';
const KINDS: Readonly<Record<MediaDeviceKind, DeviceKind>> = {
  audioinput: 'microphone',
  videoinput: 'camera',
  audiooutput: 'speaker',
};

export const NO_DEVICES: DeviceLists = { microphone: [], camera: [], speaker: [] };
const DEFAULTS: ChosenDevices = { microphone: '', camera: '', speaker: '' };

/** The devices there are now. Chromium's alias "default" is left out: choosing nothing means the same. */
export async function listDevices(devices: MediaDevicesPort | undefined): Promise<DeviceLists> {
  if (devices === undefined) return NO_DEVICES;
  const lists: Record<DeviceKind, MediaDeviceOption[]> = { microphone: [], camera: [], speaker: [] };
  const found = await devices.enumerateDevices().catch(() => []);
  for (const { kind, deviceId, label } of found) {
    if (deviceId === '' || deviceId === 'default' || deviceId === 'communications') continue;
    lists[KINDS[kind]].push({ deviceId, label });
  }
  return lists;
}

/** What was chosen before on this machine. Anything unreadable counts as no choice. */
export function recallChoice(storage: ChoiceStorage | null): ChosenDevices {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(KEY) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return DEFAULTS;
    const read = (kind: DeviceKind) => {
      const value: unknown = (stored as Partial<Record<DeviceKind, unknown>>)[kind];
      return typeof value === 'string' ? value : '';
    };
    return { microphone: read('microphone'), camera: read('camera'), speaker: read('speaker') };
  } catch {
    return DEFAULTS;
  }
}

export function rememberChoice(storage: ChoiceStorage | null, chosen: ChosenDevices): void {
  try {
    storage?.setItem(KEY, JSON.stringify(chosen));
  } catch {
    // Full or forbidden: the choice lives as long as the page.
  }
}
