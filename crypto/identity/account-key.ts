import type { z } from 'zod';
import { DeviceList, deviceListText, MAX_CLOCK_SKEW_MS, SignedDeviceList } from '../../protocol/devices.ts';
import type { UserId } from '../../protocol/ids.ts';
import { constantTimeEqual, fromBase64, toBase64, utf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';

/** The Ed25519 key (RFC 8032) that signs an account's device list. */
export interface AccountKey {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** May be kept as it is in IndexedDB. */
  readonly privateKey: CryptoKey;
}

/**
 * Makes an account key. Its private half cannot be read out unless `extractable`, which handing it to another device
 * or to a backup needs (`exportAccountKey`).
 */
export async function generateAccountKey(options: { readonly extractable?: boolean } = {}): Promise<AccountKey> {
  const pair = await crypto.subtle.generateKey('Ed25519', options.extractable ?? false, ['sign', 'verify']);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey, privateKey: pair.privateKey };
}

/** The private key as PKCS #8 (RFC 8410), secret. Only of an extractable key. */
export async function exportAccountKey(accountKey: AccountKey): Promise<Bytes> {
  if (!accountKey.privateKey.extractable) throw new CryptoError('malformed', 'the account key is not extractable');
  return new Uint8Array(await crypto.subtle.exportKey('pkcs8', accountKey.privateKey));
}

/**
 * Takes an account key from its exported form. Throws `malformed` if either half is no key, `signature_invalid` if
 * the halves do not belong together.
 */
export async function importAccountKey(
  exported: Bytes,
  publicKey: Bytes,
  options: { readonly extractable?: boolean } = {},
): Promise<AccountKey> {
  const privateKey = await crypto.subtle
    .importKey('pkcs8', exported, 'Ed25519', options.extractable ?? false, ['sign'])
    .catch(() => {
      throw new CryptoError('malformed', 'not an Ed25519 private key');
    });
  const probe = utf8('teahouse/account-key-probe/v1');
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, probe));
  await verifyEd25519(publicKey, signature, probe);
  return { publicKey, privateKey };
}

/** Signs a device list with the account key, over the very text that is sent. Throws `malformed`, `list_duplicate`. */
export async function signDeviceList(accountKey: AccountKey, list: DeviceList): Promise<SignedDeviceList> {
  const payload = JSON.stringify(parse(DeviceList, list));
  refuseDuplicates(list);
  const signature = await crypto.subtle.sign('Ed25519', accountKey.privateKey, utf8(deviceListText(payload)));
  return { accountKey: toBase64(accountKey.publicKey), payload, signature: toBase64(new Uint8Array(signature)) };
}

export interface DeviceListExpectation {
  /** Whose list it must be. */
  readonly userId: UserId;
  /** The account key known for this user, from the first list or from a comparison in person. */
  readonly pinnedAccountKey?: Bytes | undefined;
  /** The lowest version that is still acceptable. */
  readonly minimumVersion?: number | undefined;
  /** The last list accepted from this user: pins its account key and version, and the content of that version. */
  readonly known?: SignedDeviceList | undefined;
  /** The time here, milliseconds since the Unix epoch: a list from later than `MAX_CLOCK_SKEW_MS` after it is refused. */
  readonly now?: number | undefined;
}

/**
 * Verifies a device list received from the server; only devices on a list that passes may be written to or believed.
 * Without a pin it trusts the account key at first use, so the caller must keep the accepted list as `known`.
 * Throws `malformed`, `account_key_changed`, `key_weak`, `signature_invalid`, `list_wrong_user`, `list_from_future`,
 * `list_outdated`, `list_conflict`, `list_duplicate`.
 */
export async function verifyDeviceList(
  signed: SignedDeviceList,
  { userId, pinnedAccountKey, minimumVersion = 1, known, now = Infinity }: DeviceListExpectation,
): Promise<DeviceList> {
  const { accountKey, payload, signature } = parse(SignedDeviceList, signed);
  const publicKey = fromBase64(accountKey);
  for (const pin of [pinnedAccountKey, known && fromBase64(known.accountKey)]) {
    if (pin !== undefined && !constantTimeEqual(pin, publicKey)) {
      throw new CryptoError('account_key_changed', 'the device list is signed by another account key');
    }
  }
  await verifyEd25519(publicKey, fromBase64(signature), utf8(deviceListText(payload)));
  const list = parseList(payload);
  if (list.userId !== userId) throw new CryptoError('list_wrong_user', 'the device list is of another account');
  refuseDuplicates(list);
  if (list.issuedAt > now + MAX_CLOCK_SKEW_MS) {
    throw new CryptoError('list_from_future', 'the device list says that it was signed in the future');
  }
  refuseRollback(list, payload, minimumVersion, known);
  return list;
}

function refuseRollback(list: DeviceList, payload: string, minimumVersion: number, known?: SignedDeviceList): void {
  const knownVersion = known === undefined ? 0 : parseList(known.payload).version;
  if (list.version < Math.max(minimumVersion, knownVersion)) {
    throw new CryptoError('list_outdated', 'the device list is older than one seen before');
  }
  if (list.version === knownVersion && payload !== known?.payload) {
    throw new CryptoError('list_conflict', 'two device lists have the same version');
  }
}

/** A device id, or a key, that stood for two devices would let one of them speak for the other. */
function refuseDuplicates(list: DeviceList): void {
  const columns = [
    list.devices.map((device) => device.deviceId),
    list.devices.flatMap((device) => [device.identityKey, device.authenticationKey]),
  ];
  if (columns.some((column) => new Set<unknown>(column).size !== column.length)) {
    throw new CryptoError('list_duplicate', 'a device or key is on the device list twice');
  }
}

/**
 * The points of order 8 and below by their y-coordinate, canonical or not, without the sign bit. For such a key there
 * are signatures that hold for any message, and not every platform's verification refuses them.
 */
const LOW_ORDER_KEYS: readonly Bytes[] = [
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=',
  'xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=',
  '7P///////////////////////////////////////38=',
  '7f///////////////////////////////////////38=',
  '7v///////////////////////////////////////38=',
].map(fromBase64);

function refuseLowOrder(publicKey: Bytes): void {
  const withoutSign = publicKey.slice();
  withoutSign[31] = (withoutSign[31] ?? 0) & 0x7f;
  if (LOW_ORDER_KEYS.some((key) => constantTimeEqual(key, withoutSign))) {
    throw new CryptoError('key_weak', 'an Ed25519 public key of low order');
  }
}

/** Throws `key_weak`, `signature_invalid`. */
export async function verifyEd25519(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<void> {
  refuseLowOrder(publicKey);
  // An Ed25519 key of 32 bytes that is no curve point is refused by some platforms at import, by others at verifying.
  const valid = await crypto.subtle
    .importKey('raw', publicKey, 'Ed25519', false, ['verify'])
    .then((key) => crypto.subtle.verify('Ed25519', key, signature, message))
    .catch(() => false);
  if (!valid) throw new CryptoError('signature_invalid', 'the signature does not verify');
}

function parseList(payload: string): DeviceList {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    throw new CryptoError('malformed', 'the device list is not JSON');
  }
  return parse(DeviceList, value);
}

function parse<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new CryptoError('malformed', 'the device list does not have the form it must have');
  return parsed.data;
}
