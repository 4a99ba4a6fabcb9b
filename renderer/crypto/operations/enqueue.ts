import { MessageContent } from '../../../protocol/chat.ts';
import type { CallMedia, send } from '../../../protocol/chat.ts';
import { MessageId } from '../../../protocol/ids.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';
import { uuidV7 } from '../../../protocol/uuid.ts';
import type { Message, MessageBody } from '../../modules/chat/model.ts';
import { Batch } from '../batch.ts';
import { QUEUED_ORDER } from '../message-rows.ts';
import type { Profile } from '../profile.ts';
import type { Enqueued } from '../vault.ts';
import { callKey } from './calls.ts';
import { sealOutboxItem } from './outbox-items.ts';
import { sealContent } from './seal-content.ts';

type Params = ParamsOf<typeof send>;

/** See `Vault.enqueueText`. Takes the draft's place. */
export async function enqueueText(
  profile: Profile,
  { conversation, text }: { readonly conversation: UserId; readonly text: string },
): Promise<Enqueued> {
  const batch = new Batch(profile);
  const sentAt = profile.now();
  const content: MessageContent = { version: 1, conversation, sentAt, content: { kind: 'text', text } };
  const { messageId, params } = await enqueueContent(profile, batch, content);
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
  const call = callKey(conversation, callId);
  if ((await profile.db.calls.get(call)) !== undefined) return { changes: await batch.commit(), sealed: null };
  const sentAt = profile.now();
  const content: MessageContent = { version: 1, conversation, sentAt, content: { kind: 'call', callId, media } };
  const { messageId, params } = await enqueueContent(profile, batch, content);
  const body: MessageBody = { kind: 'call', callId, media, outcome: 'ongoing', durationMs: null };
  batch.putMessage(await queuedMessage(profile, content, messageId, body));
  batch.write((db) => db.calls.put({ call, callId, messageId, ongoing: 1 }));
  return { changes: await batch.commit(), sealed: sealedItem(messageId, params) };
}

function sealedItem(messageId: MessageId, params: Params | null): Enqueued['sealed'] {
  return params === null ? null : { kind: 'sealed', messageId, params };
}

/**
 * Puts content into the outbox under a new message id. Throws if it is not a message. Where nothing is waiting before it and
 * all that sealing needs is at hand, it is sealed in the same stroke; a whole backlog is not, since should the other's devices
 * change meanwhile, all of it would be sealed twice and leave a gap in the ratchets.
 */
export async function enqueueContent(
  profile: Profile,
  batch: Batch,
  content: MessageContent,
): Promise<{ readonly messageId: MessageId; readonly params: Params | null }> {
  const messageId = MessageId.parse(uuidV7(profile.now(), crypto.getRandomValues(new Uint8Array(10))));
  const parsed = MessageContent.parse(content);
  const { conversation } = parsed;
  const outcome = (await isOutboxEmpty(profile, conversation))
    ? await sealContent(profile, batch, messageId, parsed)
    : null;
  profile.outboxEmpty.delete(conversation);
  const params = outcome?.kind === 'sealed' ? outcome.params : null;
  const sealing = sealOutboxItem(profile, messageId, { content: parsed, params });
  batch.write(sealing.then((sealed) => (db) => db.outbox.add({ messageId, conversation, waiting: 1, sealed })));
  return { messageId, params };
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
  const newest = await profile.summaries.newest(profile, conversation);
  const order = Math.max(QUEUED_ORDER, (newest?.order ?? 0) + 1);
  return { messageId, conversation, sender: profile.info.userId, mine: true, body, sentAt, order, state: 'queued' };
}
