import { z } from 'zod';
import { base64Bytes, DeviceAddress, DeviceId, Timestamp, UserId } from './ids.ts';
import { event, mutation, Nothing, query } from './method.ts';
import { exactText, oneLine } from './text.ts';

/** libsignal public keys: 0x05 and 32 bytes of X25519. */
export const SignalPublicKey = base64Bytes(33);
/** Raw Ed25519 public key (RFC 8032). */
export const Ed25519PublicKey = base64Bytes(32);
export const Signature = base64Bytes(64);
/** libsignal treats id 0 as "none", so it is never used. */
export const PrekeyId = z.int().min(1).max(0xffffff);

export const ListedDevice = z.strictObject({
  deviceId: DeviceId,
  /** The device's libsignal identity. */
  identityKey: SignalPublicKey,
  /** The device's own Ed25519 key; it proves a sign-in. */
  authenticationKey: Ed25519PublicKey,
  name: oneLine(1, 64),
  addedAt: Timestamp,
});
export type ListedDevice = z.infer<typeof ListedDevice>;

export const MAX_DEVICES = 16;

/** From 1; bounded so that there is always a next one to sign. */
export const ListVersion = z.int().min(1).max(0x7fffffff);

/** What the account key signs. */
export const DeviceList = z.strictObject({
  userId: UserId,
  /** From 1; each new list has a higher one. */
  version: ListVersion,
  issuedAt: Timestamp,
  devices: z.array(ListedDevice).min(1).max(MAX_DEVICES),
});
export type DeviceList = z.infer<typeof DeviceList>;

/**
 * A device that holds the account key signs the list anew when it is older than this, so that one which the server holds
 * back is recognised by its age. Milliseconds.
 */
export const LIST_RENEWAL_MS = 7 * 24 * 60 * 60 * 1000;
/**
 * How far ahead of the reader's clock a list may be dated: one that is dated later would count as fresh until that day,
 * however long its account's devices are silent. Milliseconds.
 */
export const MAX_CLOCK_SKEW_MS = 2 * 24 * 60 * 60 * 1000;
/** A list older than this is shown as not confirmed for long. Milliseconds. */
export const LIST_STALE_MS = 30 * 24 * 60 * 60 * 1000;

/** The signature covers `deviceListText(payload)` as UTF-8: the very text, so that no canonical form is needed. */
export const SignedDeviceList = z.strictObject({
  accountKey: Ed25519PublicKey,
  /** JSON text of a DeviceList. */
  payload: exactText(16_384),
  signature: Signature,
});
export type SignedDeviceList = z.infer<typeof SignedDeviceList>;

/** What is signed: the payload under a name of its own, so that a signature made for one purpose serves no other. */
export function deviceListText(payload: string): string {
  return `teahouse/device-list/v1\n${payload}`;
}

export const SignedPrekey = z.strictObject({ keyId: PrekeyId, publicKey: SignalPublicKey, signature: Signature });
export type SignedPrekey = z.infer<typeof SignedPrekey>;
export const Prekey = z.strictObject({ keyId: PrekeyId, publicKey: SignalPublicKey });
export type Prekey = z.infer<typeof Prekey>;

/** One-time prekeys published at once; and the number below which a device publishes more. */
export const PREKEY_BATCH = 100;
export const PREKEY_LOW = 20;

/** The public half of a new device: everything others need in order to write to it. */
export const NewDevice = z.strictObject({
  deviceId: DeviceId,
  registrationId: z.int().min(1).max(0x3fff),
  identityKey: SignalPublicKey,
  authenticationKey: Ed25519PublicKey,
  /** Shown when the person is asked to approve it. */
  name: oneLine(1, 64),
  signedPrekey: SignedPrekey,
  prekeys: z.array(Prekey).max(PREKEY_BATCH),
});
export type NewDevice = z.infer<typeof NewDevice>;

/** X3DH prekey bundle (Signal's X3DH specification, section 3.2). */
export const PrekeyBundle = z.strictObject({
  userId: UserId,
  deviceId: DeviceId,
  registrationId: z.int().min(1).max(0x3fff),
  identityKey: SignalPublicKey,
  signedPrekey: SignedPrekey,
  /** Absent when the device's one-time prekeys have run out. */
  prekey: Prekey.optional(),
});
export type PrekeyBundle = z.infer<typeof PrekeyBundle>;

/** Most lists in one answer: as many of the longest as fit into a frame. */
export const MAX_LISTS = 10;

/**
 * Device lists of these users; users unknown to the server are left out. A session without a device gets only its own
 * account's, which it needs to be linked; another one is refused with `device_required`.
 */
export const lists = query(
  'devices.lists',
  { users: z.array(UserId).min(1).max(MAX_LISTS) },
  z.strictObject({ lists: z.array(SignedDeviceList) }),
);

/**
 * Takes one bundle for each device; each one-time prekey is given out once. Unknown devices are left out. One account gets
 * so many of a device's one-time prekeys a day, and all together so many; beyond that, bundles have none.
 */
export const takeBundles = mutation(
  'devices.takeBundles',
  { devices: z.array(DeviceAddress).min(1).max(64) },
  z.strictObject({ bundles: z.array(PrekeyBundle) }),
);

export const prekeyStatus = query(
  'devices.prekeyStatus',
  {},
  z.strictObject({ remaining: z.int().min(0), signedPrekeyId: PrekeyId, signedPrekeyAt: Timestamp }),
);

export const publishPrekeys = mutation(
  'devices.publishPrekeys',
  { signedPrekey: SignedPrekey.optional(), prekeys: z.array(Prekey).max(PREKEY_BATCH) },
  z.strictObject({ remaining: z.int().min(0) }),
);

/**
 * Replaces the asking account's list. It must be signed by the same account key and have a higher version.
 * Devices that are new in it must have asked by `requestLink`; devices no longer in it lose their sessions,
 * prekeys and queue. Errors: `device_list_invalid`, `device_list_outdated`, `device_unknown`, `clock_wrong`.
 */
export const publishList = mutation('devices.publishList', { list: SignedDeviceList }, Nothing);

/**
 * Asks the account's other devices to add this one; the session must not have a device yet. Lasts 10 minutes. What was
 * asked for under a device id does not change while it lasts: other keys are refused with `device_list_invalid`.
 */
export const requestLink = mutation('devices.requestLink', { device: NewDevice }, Nothing);

/** What an existing device needs in order to show the request and to put the device on the list. */
export const LinkRequest = ListedDevice.extend({ expiresAt: Timestamp });
export type LinkRequest = z.infer<typeof LinkRequest>;
export const linkRequests = query('devices.linkRequests', {}, z.strictObject({ requests: z.array(LinkRequest) }));

/** Somebody's list changed: fetch it before the next send to them. */
export const listChanged = event('devices.listChanged', { userId: UserId, version: ListVersion });
/** Told when the count falls below PREKEY_LOW, not with every one taken after that. */
export const prekeysLow = event('devices.prekeysLow', { remaining: z.int().min(0) });
/** A new device asks to be linked (to the account's devices). */
export const linkRequested = event('devices.linkRequested', { request: LinkRequest });
/** To the asking session: it is linked; say hello again. */
export const linked = event('devices.linked', { deviceId: DeviceId });
