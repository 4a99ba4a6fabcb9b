import type { DeviceId } from '../../../protocol/ids.ts';

export interface OwnDevice {
  readonly deviceId: DeviceId;
  readonly name: string;
  readonly addedAt: number;
  readonly current: boolean;
}

/**
 * A device that asks to be linked, as it was when it asked; it never changes. The person compares `code` with the one the
 * new device shows, and by it the request is approved.
 */
export interface LinkRequestView {
  readonly deviceId: DeviceId;
  readonly name: string;
  readonly code: string;
  readonly expiresAt: number;
}

export interface DevicesController {
  readonly devices: readonly OwnDevice[];
  /**
   * When this device was linked: what was written before is on others. Null on the account's first device, which has
   * everything. Milliseconds since the Unix epoch.
   */
  readonly linkedAt: number | null;
  /** Those that may be approved now. */
  readonly linkRequests: readonly LinkRequestView[];
  /** The server goes on showing an older list of these devices than the one that holds here, though it was given that. */
  readonly listWithheld: boolean;
  /**
   * Puts exactly the device on the list whose code was shown. Rejects with `link_request_gone` if it asks no more, with
   * `device_removed_before` if it asks with the keys it had when it was removed.
   */
  approve(request: LinkRequestView): Promise<void>;
  /** Takes a request away that is not the person's own; it is not shown again until the app is started anew. */
  deny(request: LinkRequestView): void;
  /** Finds out which requests have ended. Never rejects; without a connection nothing changes. */
  lookAgain(): Promise<void>;
  /** Takes a device off the list; it can neither read nor send from then on. Not the current one. */
  remove(deviceId: DeviceId): Promise<void>;
}
