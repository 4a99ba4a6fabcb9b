import { Envelope, ReceivedContent } from '../../protocol/chat.ts';
import { constantTimeEqual, fromBase64, fromUtf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { decryptFrom } from '../sessions/decrypt.ts';
import type { SessionChanges, SessionStore } from '../sessions/session-store.ts';
import { SkipBudget } from '../sessions/skip-budget.ts';
import { associatedData, payloadDigest } from './associated-data.ts';
import { unpad } from './padding.ts';

/** AES-256 key and SHA-256 digest. */
const WRAPPED_BYTES = 64;

/**
 * Opens an envelope from the queue. Commit the changes together with the message, then acknowledge.
 * @param expectedIdentityKey the sending device's identity key from its account's verified device list
 * @param budget how many messages may have been skipped; tells afterwards what was spent
 * Throws `malformed`, `unsupported` (content of a newer version), `tampered`, `replayed`, `identity_changed`,
 * `no_session`, `prekey_missing`, `too_far_ahead`, `key_weak`. A refused envelope changes nothing.
 */
export async function openEnvelope(
  envelope: Envelope,
  store: SessionStore,
  expectedIdentityKey: Bytes,
  budget: SkipBudget = new SkipBudget(),
): Promise<{ readonly content: ReceivedContent; readonly changes: SessionChanges }> {
  const parsed = Envelope.safeParse(envelope);
  if (!parsed.success) throw new CryptoError('malformed', 'not an envelope');
  const { sender, messageId, key } = parsed.data;
  const { plaintext, changes } = await decryptFrom(store, sender, key, expectedIdentityKey, budget);
  if (plaintext.byteLength !== WRAPPED_BYTES) throw new CryptoError('malformed', 'not a wrapped message key');

  const payload = fromBase64(parsed.data.payload);
  const additionalData = associatedData(sender, messageId);
  if (!constantTimeEqual(plaintext.subarray(32), payloadDigest(payload, additionalData))) {
    throw new CryptoError('tampered', 'the body is not the one the key was made for');
  }
  const body = await openBody(plaintext.slice(0, 32), payload, additionalData);
  return { content: parseContent(fromUtf8(unpad(body))), changes };
}

async function openBody(key: Bytes, payload: Bytes, additionalData: Bytes): Promise<Bytes> {
  const messageKey = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const algorithm = { name: 'AES-GCM', iv: payload.slice(0, 12), additionalData } as const;
  const body = await crypto.subtle.decrypt(algorithm, messageKey, payload.slice(12)).catch(() => {
    throw new CryptoError('tampered', 'the body does not authenticate');
  });
  return new Uint8Array(body);
}

function parseContent(json: string): ReceivedContent {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new CryptoError('malformed', 'the content is not JSON');
  }
  const parsed = ReceivedContent.safeParse(value);
  if (parsed.success) return parsed.data;
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version > 1) {
    throw new CryptoError('unsupported', 'the content is of a newer version');
  }
  throw new CryptoError('malformed', 'the content is not a message');
}
