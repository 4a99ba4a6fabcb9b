import { Devices } from './devices.svelte.ts';
import type { DevicesDependencies } from './devices.svelte.ts';

export type { DevicesController, LinkRequestView, OwnDevice } from './model.ts';

export function createDevices(deps: DevicesDependencies): Devices {
  return new Devices(deps);
}
