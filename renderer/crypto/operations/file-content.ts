import type { Envelope, ReceivedContent } from '../../../protocol/chat.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Message, MessageBody } from '../../modules/chat/model.ts';
import type { Batch } from '../batch.ts';
import type { Profile } from '../profile.ts';
import { callKey } from './calls.ts';
import { takeHandOver } from './hand-over.ts';
import { laterState } from './outbox.ts';

type Receipt = Extract<ReceivedContent['content'], { kind: 'receipt' }>;

/** Files what an envelope held into its conversation. Returns the message if it is a new one of somebody else. */
export async function fileContent(
  profile: Profile,
  batch: Batch,
  envelope: Envelope,
  { conversation: named, sentAt, content }: ReceivedContent,
): Promise<Message | null> {
  const mine = envelope.sender.userId === profile.info.userId;
  // Somebody else cannot file into a conversation that is not with them, nor hand on what was meant for a third person.
  if (!mine && named !== profile.info.userId) return fileUnreadable(profile, batch, envelope);
  if (content.kind === 'hand-over') {
    if (!mine) return fileUnreadable(profile, batch, envelope);
    await takeHandOver(profile, batch, content);
    return null;
  }
  const conversation = mine ? named : envelope.sender.userId;
  if (content.kind === 'receipt') {
    await (mine ? applyOwnReceipt : applyReceipt)(batch, conversation, content);
    return null;
  }
  const message = (body: MessageBody): Message => ({
    ...skeleton(envelope, conversation, mine),
    sentAt,
    body,
    state: mine ? 'sent' : null,
  });
  if (content.kind === 'text') return addMessage(batch, message({ kind: 'text', text: content.text }));
  const body: MessageBody = {
    kind: 'call',
    callId: content.callId,
    media: content.media,
    outcome: 'ongoing',
    durationMs: null,
  };
  return addCall(batch, message(body), callKey(conversation, content.callId), body);
}

/** Leaves an entry that something came which could not be read. Of one's own devices nobody knows for whom it was. */
export async function fileUnreadable(profile: Profile, batch: Batch, envelope: Envelope): Promise<Message | null> {
  if (envelope.sender.userId === profile.info.userId) return null;
  const message: Message = {
    ...skeleton(envelope, envelope.sender.userId, false),
    sentAt: Math.floor(envelope.position / 1000),
    body: { kind: 'unreadable' },
    state: null,
  };
  if ((await batch.message(message.messageId)) !== undefined) return null;
  batch.putMessage(message);
  batch.markUnread(message, false);
  return message;
}

function skeleton({ messageId, sender, position }: Envelope, conversation: UserId, mine: boolean) {
  return { messageId, conversation, sender: sender.userId, mine, order: position };
}

async function addMessage(batch: Batch, message: Message): Promise<Message | null> {
  const known = await batch.message(message.messageId);
  // An id that is taken is taken, except by an entry that this very message is the readable form of.
  if (known !== undefined && (known.sender !== message.sender || known.body.kind !== 'unreadable')) return null;
  batch.putMessage(message);
  if (message.mine) return null;
  const { messageId, conversation } = message;
  batch.markUnread(message, true);
  batch.write((db) => db.receipts.put({ messageId, conversation, state: 'delivered' }));
  return message;
}

/** An entry that this device has made already keeps its outcome and takes the place in the order that all devices know. */
async function addCall(
  batch: Batch,
  message: Message,
  call: string,
  body: Extract<MessageBody, { kind: 'call' }>,
): Promise<Message | null> {
  const row = await batch.call(call);
  const known = row && (await batch.message(row.messageId));
  if (known !== undefined) {
    batch.putMessage({ ...known, order: message.order });
    return null;
  }
  const { callId } = body;
  batch.putCall({ call, callId, messageId: message.messageId, ongoing: 1 });
  return addMessage(batch, message);
}

/** Of the other person: how far messages of one's own have come. */
async function applyReceipt(batch: Batch, conversation: UserId, { state, messageIds }: Receipt): Promise<void> {
  await batch.load(messageIds);
  for (const messageId of messageIds) {
    const message = await batch.message(messageId);
    if (message === undefined || !message.mine || message.conversation !== conversation) continue;
    const later = laterState(message.state, state);
    if (later !== message.state) batch.putMessage({ ...message, state: later });
  }
}

/** Of another device of one's own: what was read there is read here. */
async function applyOwnReceipt(batch: Batch, conversation: UserId, { state, messageIds }: Receipt): Promise<void> {
  if (state !== 'read') return;
  await batch.load(messageIds);
  const messages = await Promise.all(messageIds.map((messageId) => batch.message(messageId)));
  const read = messages.flatMap((message) => (message?.conversation === conversation ? [message.messageId] : []));
  batch.markRead(conversation, read);
}
