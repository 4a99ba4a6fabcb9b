import type { ListedDevice } from '../../protocol/devices.ts';
import type { UserId } from '../../protocol/ids.ts';
import { concat, fromBase64, sha256, utf8 } from '../bytes.ts';

/**
 * The code that two screens show while a device is linked: six groups of five digits, about 99 bits, made from
 * everything public of the new device, the account it asks to join and the account's key. Both equal means that the
 * server passed on the new device's keys to the old device, and the account key to the new one, unaltered.
 */
export async function linkCode(input: {
  readonly device: Pick<ListedDevice, 'deviceId' | 'identityKey' | 'authenticationKey'>;
  readonly userId: UserId;
  /** Base64 of the 32 bytes that this side holds to be the account's public key. */
  readonly accountKey: string;
}): Promise<string> {
  const { device, userId, accountKey } = input;
  const digest = await sha256(
    concat(
      utf8(`teahouse/link-code/v2\n${userId}\n${device.deviceId}\n`),
      fromBase64(accountKey),
      fromBase64(device.identityKey),
      fromBase64(device.authenticationKey),
    ),
  );
  // 40 bits give a group; the remainder's bias is below 2^-23.
  const groups = [0, 5, 10, 15, 20, 25].map((offset) => {
    const number = digest.subarray(offset, offset + 5).reduce((sum, byte) => sum * 256 + byte, 0);
    return String(number % 100_000).padStart(5, '0');
  });
  return groups.join(' ');
}
