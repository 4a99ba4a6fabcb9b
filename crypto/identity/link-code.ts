import type { ListedDevice } from '../../protocol/devices.ts';
import type { UserId } from '../../protocol/ids.ts';
import { concat, fromBase64, sha256, utf8 } from '../bytes.ts';

/**
 * The code that two screens show while a device is linked: six groups of five digits, about 99 bits, made from
 * everything public of the new device and the account it asks to join. Both equal means that the server passed on
 * the keys unaltered.
 */
export async function linkCode(
  device: Pick<ListedDevice, 'deviceId' | 'identityKey' | 'authenticationKey'>,
  accountId: UserId,
): Promise<string> {
  const digest = await sha256(
    concat(
      utf8(`teahouse/link-code/v1\n${accountId}\n${device.deviceId}\n`),
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
