import { MessageContent } from '../../protocol/chat.ts';
import type { Recipient } from '../../protocol/chat.ts';
import type { DeviceList, ListedDevice } from '../../protocol/devices.ts';
import type { DeviceAddress, MessageId } from '../../protocol/ids.ts';
import { concat, fromBase64, randomBytes, toBase64, utf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { encryptFor } from '../sessions/encrypt.ts';
import type { SessionChanges, SessionStore } from '../sessions/session-store.ts';
import { StagedStore } from '../sessions/staged-store.ts';
import { associatedData, payloadDigest } from './associated-data.ts';
import { pad } from './padding.ts';

export interface SealedMessage {
  /** The body, base64: `chat.send`'s `payload`. */
  readonly payload: string;
  /** `chat.send`'s `recipients`. */
  readonly recipients: Recipient[];
  /** Commit before sending. */
  readonly changes: SessionChanges;
}

/**
 * Encrypts a message once with a fresh AES-256-GCM key and wraps that key for every device on the given lists, by
 * the open session with each. The sending device itself is left out. Start the missing sessions first
 * (`sessionsMissing`).
 * Throws `malformed` if the content is none, `too_large`, `no_session`, `identity_changed`.
 */
export async function sealMessage(options: {
  readonly content: MessageContent;
  readonly messageId: MessageId;
  /** This device. */
  readonly sender: DeviceAddress;
  /** Verified device lists (`verifyDeviceList`), the sender's own among them if it has other devices. */
  readonly recipients: readonly DeviceList[];
  readonly store: SessionStore;
}): Promise<SealedMessage> {
  const { content, messageId, sender, recipients, store } = options;
  const additionalData = associatedData(sender, messageId);
  const key = randomBytes(32);
  const payload = await sealBody(key, content, additionalData);
  const wrappedPlaintext = concat(key, payloadDigest(payload, additionalData));

  const staged = new StagedStore(store);
  const sealedFor: Recipient[] = [];
  for (const list of recipients) {
    const keys: Recipient['keys'] = [];
    for (const { device, address } of devicesToReach(list, sender)) {
      const identityKey = fromBase64(device.identityKey);
      const { wrapped, changes } = await encryptFor(staged, address, wrappedPlaintext, identityKey);
      staged.stage(changes);
      keys.push({ ...wrapped, deviceId: device.deviceId });
    }
    sealedFor.push({ userId: list.userId, listVersion: list.version, keys });
  }
  return { payload: toBase64(payload), recipients: sealedFor, changes: staged.changes() };
}

/** The devices on a list that a message goes to: all but the sending one. */
export function devicesToReach(
  list: DeviceList,
  sender: DeviceAddress,
): { readonly device: ListedDevice; readonly address: DeviceAddress }[] {
  return list.devices
    .map((device) => ({ device, address: { userId: list.userId, deviceId: device.deviceId } }))
    .filter(({ address }) => address.userId !== sender.userId || address.deviceId !== sender.deviceId);
}

async function sealBody(key: Bytes, content: MessageContent, additionalData: Bytes): Promise<Bytes> {
  const parsed = MessageContent.safeParse(content);
  if (!parsed.success) throw new CryptoError('malformed', 'the content is not a message');
  const iv = randomBytes(12);
  const algorithm = { name: 'AES-GCM', iv, additionalData } as const;
  const messageKey = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const body = pad(utf8(JSON.stringify(parsed.data)));
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt(algorithm, messageKey, body)));
}
