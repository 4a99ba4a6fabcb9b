import { MessageContent } from '../../../protocol/chat.ts';
import type { CallMedia, send } from '../../../protocol/chat.ts';
import type { CallId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';
import type { Message, MessageBody } from '../../modules/chat/model.ts';
import { Batch } from '../batch.ts';
import { callKey, findCall } from '../call-rows.ts';
import type { Profile } from '../profile.ts';
import { newMessageId, queuedOrder } from '../queued-message.ts';
import type { Enqueued, Vault } from '../vault.ts';
import { sealOutboxItem } from './outbox-items.ts';
import { sealContent } from './seal-content.ts';

type Params = ParamsOf<typeof send>;

/** See `Vault.enqueueText`. Takes the draft's place. */
export async function enqueueText(
  profile: Profile,
  { conversation, messageId, text, sentAt }: Parameters<Vault['enqueueText']>[0],
): Promise<Enqueued> {
  const batch = new Batch(profile);
  const content: MessageContent = { version: 1, conversation, sentAt, content: { kind: 'text', text } };
  const params = await enqueueContent(profile, batch, messageId, content);
  batch.putMessage(await queuedMessage(profile, content, messageId, { kind: 'text', text }));
  batch.setDraft(conversation, '');
  return { changes: await batch.commit(), sealed: sealedItem(messageId, params) };
}

/** See `Vault.enqueueCall`. A call is announced once. */
export async function enqueueCall(
  profile: Profile,
  {
    conversation,
    callId,
    media,
  }: { readonly conversation: UserId; readonly callId: CallId; readonly media: CallMedia },
): Promise<Enqueued> {
  const batch = new Batch(profile);
  const known = await findCall(batch, conversation, callId);
  if (known?.entry.mine === true) return { changes: await batch.commit(), sealed: null };
  // Somebody named this call before it was announced: that entry is theirs, and of no call that could go on.
  if (known !== undefined) batch.putMessage({ ...known.entry, body: { ...known.entry.body, outcome: 'missed' } });
  const sentAt = profile.now();
  const content: MessageContent = { version: 1, conversation, sentAt, content: { kind: 'call', callId, media } };
  const messageId = newMessageId(sentAt);
  const params = await enqueueContent(profile, batch, messageId, content);
  const body: MessageBody = { kind: 'call', callId, media, outcome: 'ongoing', durationMs: null };
  batch.putMessage(await queuedMessage(profile, content, messageId, body));
  batch.putCall({ call: callKey(conversation, callId), callId, messageId, ongoing: 1, at: sentAt });
  return { changes: await batch.commit(), sealed: sealedItem(messageId, params) };
}

function sealedItem(messageId: MessageId, params: Params | null): Enqueued['sealed'] {
  return params === null ? null : { messageId, params };
}

/**
 * Puts content into the outbox under a message id that is new. Returns what is to be sent, if it is sealed already. Throws if it is not a message. Where nothing is waiting before it and
 * all that sealing needs is at hand, it is sealed in the same stroke; a whole backlog is not, since should the other's devices
 * change meanwhile, all of it would be sealed twice and leave a gap in the ratchets.
 */
export async function enqueueContent(
  profile: Profile,
  batch: Batch,
  messageId: MessageId,
  content: MessageContent,
): Promise<Params | null> {
  const parsed = MessageContent.parse(content);
  const { conversation } = parsed;
  const outcome = (await isOutboxEmpty(profile, conversation))
    ? await sealContent(profile, batch, messageId, parsed)
    : null;
  profile.outboxEmpty.delete(conversation);
  const params = outcome?.kind === 'sealed' ? outcome.params : null;
  const sealing = sealOutboxItem(profile, messageId, { content: parsed, params });
  batch.write(sealing.then((sealed) => (db) => db.outbox.add({ messageId, conversation, waiting: 1, sealed })));
  return params;
}

async function isOutboxEmpty({ db, outboxEmpty }: Profile, conversation: UserId): Promise<boolean> {
  if (outboxEmpty.has(conversation)) return true;
  return (await db.outbox.where('[waiting+conversation]').equals([1, conversation]).count()) === 0;
}

async function queuedMessage(
  profile: Profile,
  { conversation, sentAt }: MessageContent,
  messageId: MessageId,
  body: MessageBody,
): Promise<Message> {
  const order = queuedOrder(await profile.summaries.newest(profile, conversation));
  return { messageId, conversation, sender: profile.info.userId, mine: true, body, sentAt, order, state: 'queued' };
}
