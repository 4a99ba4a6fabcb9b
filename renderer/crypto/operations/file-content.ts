import type { Envelope, ReceivedContent } from '../../../protocol/chat.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Message, MessageBody } from '../../modules/chat/model.ts';
import type { Batch } from '../batch.ts';
import { callKey, findCall } from '../call-rows.ts';
import type { CallBody, CallEntry } from '../call-rows.ts';
import type { Profile } from '../profile.ts';
import { newMessageId } from '../queued-message.ts';
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
    if (mine) await applyOwnReceipt(batch, conversation, content);
    else await applyReceipt(profile, batch, conversation, content);
    return null;
  }
  const message = <B extends MessageBody>(body: B): Message & { readonly body: B } => ({
    ...skeleton(envelope, conversation, mine),
    sentAt,
    body,
    state: mine ? 'sent' : null,
  });
  if (content.kind === 'text') return addMessage(profile, batch, message({ kind: 'text', text: content.text }));
  const body: CallBody = {
    kind: 'call',
    callId: content.callId,
    media: content.media,
    outcome: 'ongoing',
    durationMs: null,
  };
  return addCall(profile, batch, message(body));
}

/** Leaves an entry that something came which could not be read. Of one's own devices nobody knows for whom it was. */
export async function fileUnreadable(profile: Profile, batch: Batch, envelope: Envelope): Promise<Message | null> {
  if (envelope.sender.userId === profile.info.userId) return null;
  const message = await withFreeId(profile, batch, {
    ...skeleton(envelope, envelope.sender.userId, false),
    sentAt: Math.floor(envelope.position / 1000),
    body: { kind: 'unreadable' },
    state: null,
  });
  if (message === null) return null;
  batch.putMessage(message);
  batch.markUnread(message, false);
  return message;
}

function skeleton({ messageId, sender, position }: Envelope, conversation: UserId, mine: boolean) {
  return { messageId, conversation, sender: sender.userId, mine, order: position };
}

/**
 * The message under an id that overwrites nothing; null if it is there already. Who sends chooses the id, and may know one
 * of somebody else's message: neither hides the other, the later gets an id of this device's own.
 */
async function withFreeId<M extends Message>(profile: Profile, batch: Batch, message: M): Promise<M | null> {
  const known = await batch.message(message.messageId);
  if (known === undefined) return message;
  if (known.sender !== message.sender || known.conversation !== message.conversation) {
    return { ...message, messageId: newMessageId(profile.now()) };
  }
  // The same person's: the same again, unless it is the readable form of what could not be read.
  return known.body.kind === 'unreadable' && message.body.kind !== 'unreadable' ? message : null;
}

async function addMessage(profile: Profile, batch: Batch, received: Message): Promise<Message | null> {
  const message = await withFreeId(profile, batch, received);
  return message && putNew(batch, message, message.messageId === received.messageId);
}

/** @param confirm whether the sender knows it by this id, and is to be told how far it came */
function putNew(batch: Batch, message: Message, confirm: boolean): Message | null {
  batch.putMessage(message);
  if (message.mine) return null;
  const { messageId, conversation } = message;
  batch.markUnread(message, confirm);
  if (confirm) batch.write((db) => db.receipts.put({ messageId, conversation, state: 'delivered' }));
  return message;
}

/**
 * An entry that this device has made already, of a call that its caller announces now, keeps its outcome and takes the
 * place in the order that all devices know. Any other entry stays as it is; but where the other person has named a call of
 * one's own before it came here, that is of no call that could go on, and one's own has its entry.
 */
async function addCall(profile: Profile, batch: Batch, received: CallEntry): Promise<Message | null> {
  const { conversation, order, body } = received;
  const { callId, media } = body;
  const known = await findCall(batch, conversation, callId);
  const isTaken = received.mine && known?.entry.mine === false;
  if (isTaken && known.entry.body.outcome === 'ongoing') {
    batch.putMessage({ ...known.entry, body: { ...known.entry.body, outcome: 'missed' } });
  }
  if (known !== undefined && !isTaken) {
    const { row, entry } = known;
    if (entry.sender !== received.sender || row.unannounced === undefined) return null;
    batch.putMessage({ ...entry, order, body: { ...entry.body, media } });
    batch.putCall({ ...row, unannounced: undefined });
    return null;
  }
  const entry = await withFreeId(profile, batch, received);
  if (entry === null) return null;
  const { messageId } = entry;
  batch.putCall({ call: callKey(conversation, callId), callId, messageId, ongoing: 1, at: profile.now() });
  return putNew(batch, entry, messageId === received.messageId);
}

/** Of the other person: how far messages of one's own have come. What no receipt can change is not looked at again. */
async function applyReceipt(
  { settled }: Profile,
  batch: Batch,
  conversation: UserId,
  { state, messageIds }: Receipt,
): Promise<void> {
  const open = messageIds.filter((messageId) => !settled.has(messageId));
  for (const message of await batch.messagesOf(conversation, open)) {
    const later = message.mine ? laterState(message.state, state) : message.state;
    if (later !== message.state) batch.putMessage({ ...message, state: later });
    if (!message.mine || later === 'read') batch.afterCommit(() => settled.add(message.messageId));
  }
}

/** Of another device of one's own: what was read there is read here. */
async function applyOwnReceipt(batch: Batch, conversation: UserId, { state, messageIds }: Receipt): Promise<void> {
  if (state !== 'read') return;
  batch.markRead(conversation, await batch.idsOf(conversation, messageIds));
}
