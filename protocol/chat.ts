import { z } from 'zod';
import { handOverContent } from './hand-over.ts';
import { base64Bytes, CallId, DeviceAddress, DeviceId, MessageId, Timestamp, UserId } from './ids.ts';
import { event, mutation, Nothing, query, setter } from './method.ts';

/** Largest ciphertext of a message body, in bytes. Larger things are attachments. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;
/** Longest text message, in UTF-16 code units. */
export const MAX_TEXT_LENGTH = 10_000;

/** The message key, encrypted for one device by its Double Ratchet session. */
export const WrappedKey = z.strictObject({
  /** `prekey`: a PreKeySignalMessage that also sets the session up. */
  type: z.enum(['message', 'prekey']),
  body: base64Bytes(1, 2048),
});
export type WrappedKey = z.infer<typeof WrappedKey>;

export const Recipient = z.strictObject({
  userId: UserId,
  /** The version of the device list that the sender used. */
  listVersion: z.int().min(1),
  /** One for each device of the recipient (for oneself: each other device). */
  keys: z.array(WrappedKey.extend({ deviceId: DeviceId })).max(16),
});
export type Recipient = z.infer<typeof Recipient>;

/**
 * A place in the order of everything the server has accepted: microseconds since the epoch, strictly increasing. A client
 * does not refuse an implausible one, which would lose the message, but takes the time of its arrival instead.
 */
export const Position = z.int().min(1);

/**
 * Hands a message to the server, which keeps it for each device until that device acknowledges it. The idempotency id
 * is the message's id. The sender's own account is a recipient too where it has other devices.
 *
 * `after` names a message that this device sent before and whose answer it has not seen yet. This one is accepted only
 * if that one was, so that many can be under way at once and none overtakes one that is refused.
 * Errors: `devices_stale` (with the devices missing and gone), `user_unknown`, `send_out_of_order`,
 * `queue_full` (with the accounts of which no device has room), `quota_sender` (with the time after which it may go),
 * `storage_full`.
 */
export const send = mutation(
  'chat.send',
  {
    payload: base64Bytes(29, MAX_PAYLOAD_BYTES),
    recipients: z.array(Recipient).min(1).max(64),
    after: MessageId.optional(),
  },
  z.strictObject({ position: Position }),
);

export const Envelope = z.strictObject({
  /** Place in the receiving device's queue. */
  queueId: z.int().min(1),
  messageId: MessageId,
  sender: DeviceAddress,
  position: Position,
  /** AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. */
  payload: base64Bytes(29, MAX_PAYLOAD_BYTES),
  key: WrappedKey,
});
export type Envelope = z.infer<typeof Envelope>;

/** The oldest envelopes of this device's queue, oldest first; `after` skips those already fetched. */
export const pending = query(
  'chat.pending',
  { after: z.int().min(0), limit: z.int().min(1).max(100) },
  z.strictObject({ envelopes: z.array(Envelope), more: z.boolean() }),
);

/** Removes envelopes from this device's queue: it has them durably, or can never read them. */
export const acknowledge = setter('chat.acknowledge', { queueIds: z.array(z.int().min(1)).min(1).max(500) }, Nothing);

/**
 * The devices of this account for which messages were not kept, since they waited too long or too many did, and how
 * many, until `chat.dismissExpired` says that somebody has read it.
 */
export const expired = query(
  'chat.expired',
  {},
  z.strictObject({ devices: z.array(z.strictObject({ deviceId: DeviceId, count: z.int().min(1) })) }),
);

export const dismissExpired = setter('chat.dismissExpired', { deviceId: DeviceId }, Nothing);

/** What `chat.expired` answers has changed: more was not kept, or somebody has read it on another device. */
export const expiredChanged = event('chat.expiredChanged', {});

/** An envelope for this device, as it arrives. It stays in the queue until acknowledged. */
export const delivered = event('chat.envelope', { envelope: Envelope });

// What is inside the payload. The server never sees this; both ends parse it.

export const CallMedia = z.enum(['voice', 'video']);
export type CallMedia = z.infer<typeof CallMedia>;

const textContent = z.strictObject({
  kind: z.literal('text'),
  text: z.string().min(1).max(MAX_TEXT_LENGTH),
});
/** Tells the peer that a call was started, so that a missed one has its entry however late it is read. */
const callContent = z.strictObject({ kind: z.literal('call'), callId: CallId, media: CallMedia });
const receivedReceipt = z.strictObject({
  kind: z.literal('receipt'),
  state: z.enum(['delivered', 'read']),
  messageIds: z.array(MessageId).min(1).max(200),
});
/** Each message is named once. */
const receiptContent = receivedReceipt.extend({
  messageIds: receivedReceipt.shape.messageIds.refine((ids) => new Set(ids).size === ids.length, {
    message: 'must name each message once',
  }),
});

/** Contents that are read as they are written. */
const contents = [textContent, callContent, handOverContent] as const;

/** What a client writes. `conversation`: the other person, as the sender sees it; a sender's own devices need it to file the copy. */
export const MessageContent = z.strictObject({
  version: z.literal(1),
  conversation: UserId,
  /** By the sender's clock; shown, never used for order. */
  sentAt: Timestamp,
  content: z.discriminatedUnion('kind', [...contents, receiptContent]),
});
export type MessageContent = z.infer<typeof MessageContent>;

/**
 * What a client reads. The sender's clock may say anything: an implausible time does not make the message unreadable,
 * the receiver shows the time of its position instead. Nor does a receipt that names a message twice.
 */
export const ReceivedContent = MessageContent.extend({
  sentAt: z.number(),
  content: z.discriminatedUnion('kind', [...contents, receivedReceipt]),
});
export type ReceivedContent = z.infer<typeof ReceivedContent>;
