import { sha256 } from '@noble/hashes/sha2.js';
import type { DeviceAddress, MessageId } from '../../protocol/ids.ts';
import { concat, utf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';

/** What the body is bound to: who sent it and under which id. Ids have a fixed alphabet, so the text is unambiguous. */
export function associatedData(sender: DeviceAddress, messageId: MessageId): Bytes {
  return utf8(`teahouse/message/v1\n${sender.userId}.${sender.deviceId}\n${messageId}`);
}

/**
 * What travels beside the message key in each wrapped key. AES-GCM does not commit to its key or plaintext: whoever
 * has the key can make another body that opens under it. The digest of the very body and its associated data binds
 * the key to this message, so that one recipient cannot put other words into the sender's mouth before another.
 */
export function payloadDigest(payload: Bytes, additionalData: Bytes): Uint8Array {
  return sha256(concat(sha256(additionalData), payload));
}
