import type { DeviceId } from '../../../protocol/ids.ts';

export interface OwnDevice {
  readonly deviceId: DeviceId;
  readonly name: string;
  readonly addedAt: number;
  readonly current: boolean;
}

/** A device that asks to be linked. The person compares `code` with the one the new device shows. */
export interface LinkRequestView {
  readonly deviceId: DeviceId;
  readonly name: string;
  readonly code: string;
  readonly expiresAt: number;
}

export interface DevicesController {
  readonly devices: readonly OwnDevice[];
  readonly linkRequests: readonly LinkRequestView[];
  approve(deviceId: DeviceId): Promise<void>;
  /** Takes a device off the list; it can neither read nor send from then on. Not the current one. */
  remove(deviceId: DeviceId): Promise<void>;
}
