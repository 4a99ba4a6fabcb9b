import {
  DeviceList,
  deviceListText,
  MAX_CLOCK_SKEW_MS,
  type ListedDevice,
  type NewDevice,
  type SignedDeviceList,
} from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { verifyEd25519 } from './ed25519.ts';

/**
 * Reads a signed list and checks what can be checked of it alone: the signature, the form, whose it is, and that no
 * device is on it twice, and that it is not dated so late that others would refuse it. `now`: milliseconds since the Unix
 * epoch. Throws `device_list_invalid`, `clock_wrong`.
 */
export function readList(signed: SignedDeviceList, userId: UserId, now: number): DeviceList {
  if (!verifyEd25519(signed.accountKey, deviceListText(signed.payload), signed.signature))
    throw invalid('The signature does not fit.');
  const parsed = DeviceList.safeParse(parseJson(signed.payload));
  if (!parsed.success) throw invalid('The payload is not a device list.');
  const list = parsed.data;
  if (list.userId !== userId) throw invalid('The list is another account’s.');
  if (new Set(list.devices.map((device) => device.deviceId)).size !== list.devices.length)
    throw invalid('A device is listed twice.');
  if (list.issuedAt > now + MAX_CLOCK_SKEW_MS)
    throw new ProtocolError('clock_wrong', 'The list is dated in the future.');
  return list;
}

/** The list of a new account: version 1 or higher, with its first device and no other. Throws `device_list_invalid`, `clock_wrong`, `prekey_invalid`. */
export function requireFirstList(signed: SignedDeviceList, userId: UserId, device: NewDevice, now: number): DeviceList {
  const list = readList(signed, userId, now);
  const [listed] = list.devices;
  if (list.devices.length !== 1 || !listed || !isSameDevice(listed, device))
    throw invalid('The list must hold just the new device.');
  requirePrekeys(device.signedPrekey.publicKey, device.prekeys);
  requireSignalKey(device.identityKey);
  return list;
}

export function isSameDevice(a: Keys, b: Keys): boolean {
  return a.deviceId === b.deviceId && a.identityKey === b.identityKey && a.authenticationKey === b.authenticationKey;
}
type Keys = Pick<ListedDevice, 'deviceId' | 'identityKey' | 'authenticationKey'>;

/** Prekeys must be X25519 keys as libsignal writes them, each with an id of its own. Throws `prekey_invalid`. */
export function requirePrekeys(
  signedPrekey: string | undefined,
  prekeys: readonly { readonly keyId: number; readonly publicKey: string }[],
): void {
  if (signedPrekey !== undefined) requireSignalKey(signedPrekey);
  for (const prekey of prekeys) requireSignalKey(prekey.publicKey);
  if (new Set(prekeys.map((prekey) => prekey.keyId)).size !== prekeys.length) {
    throw new ProtocolError('prekey_invalid', 'Two prekeys have the same id.');
  }
}

/** libsignal's serialisation of a Curve25519 key begins with 0x05. */
function requireSignalKey(key: string): void {
  if (Buffer.from(key, 'base64')[0] !== 0x05)
    throw new ProtocolError('prekey_invalid', 'A key is not a Curve25519 public key.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(message: string): ProtocolError<'device_list_invalid'> {
  return new ProtocolError('device_list_invalid', message);
}
