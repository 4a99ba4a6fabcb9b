import type { Recipient } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceAddress, DeviceId, UserId } from '../../../protocol/ids.ts';

const NO_DEVICES: ReadonlySet<DeviceId> = new Set();

/**
 * Checks that a message is for exactly the devices that its recipients have: all of each recipient's, and all other
 * devices of the sender. Errors: `invalid_request`, `user_unknown`, `devices_stale`.
 */
export function checkRecipients(
  recipients: readonly Recipient[],
  sender: DeviceAddress,
  devicesOf: ReadonlyMap<UserId, ReadonlySet<DeviceId>>,
): ProtocolError | null {
  const missing: DeviceAddress[] = [];
  const gone: DeviceAddress[] = [];
  const users = new Set<UserId>();
  for (const { userId, keys } of recipients) {
    if (users.has(userId)) return twice('recipients');
    users.add(userId);
    const devices = devicesOf.get(userId);
    if (!devices) return new ProtocolError('user_unknown', 'A recipient has no account here.');
    const addressed = new Set(keys.map((key) => key.deviceId));
    if (addressed.size !== keys.length) return twice('recipients.keys');
    for (const deviceId of addressed) {
      const own = userId === sender.userId && deviceId === sender.deviceId;
      if (own || !devices.has(deviceId)) gone.push({ userId, deviceId });
    }
    missing.push(...unaddressed(userId, devices, addressed, sender));
  }
  if (!users.has(sender.userId)) {
    missing.push(...unaddressed(sender.userId, devicesOf.get(sender.userId) ?? NO_DEVICES, NO_DEVICES, sender));
  }
  if (missing.length === 0 && gone.length === 0) return null;
  return new ProtocolError('devices_stale', 'The recipients have other devices by now.', { missing, gone });
}

function unaddressed(
  userId: UserId,
  devices: ReadonlySet<DeviceId>,
  addressed: ReadonlySet<DeviceId>,
  sender: DeviceAddress,
): DeviceAddress[] {
  const missing: DeviceAddress[] = [];
  for (const deviceId of devices) {
    const own = userId === sender.userId && deviceId === sender.deviceId;
    if (!own && !addressed.has(deviceId)) missing.push({ userId, deviceId });
  }
  return missing;
}

function twice(path: string): ProtocolError<'invalid_request'> {
  return new ProtocolError('invalid_request', 'A recipient is named twice.', {
    issues: [{ path, problem: 'must not repeat' }],
  });
}
