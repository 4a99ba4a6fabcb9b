import type { UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import type { Profile } from '../profile.ts';
import type { SealOutcome } from '../vault.ts';
import { openOutboxItem, sealOutboxItem } from './outbox-items.ts';
import { sealContent } from './seal-content.ts';

/** See `Vault.sealNext`. The ratchets' new states, and the bytes that they made, are durable before anything is sent. */
export async function sealNext(
  profile: Profile,
  { conversation, again }: { readonly conversation: UserId; readonly again: boolean },
): Promise<SealOutcome> {
  const row = await profile.db.outbox.where('[waiting+conversation]').equals([1, conversation]).first();
  if (row === undefined) {
    profile.outboxEmpty.add(conversation);
    return { kind: 'idle' };
  }
  const { messageId } = row;
  const item = await openOutboxItem(profile, row);
  if (item.params !== null && !again) return { kind: 'sealed', messageId, params: item.params };

  const batch = new Batch(profile);
  const outcome = await sealContent(profile, batch, messageId, item.content);
  if (outcome.kind !== 'sealed') return { ...outcome, messageId };
  const sealed = await sealOutboxItem(profile, messageId, { ...item, params: outcome.params });
  batch.write((db) => db.outbox.put({ ...row, sealed }));
  await batch.commit();
  return { ...outcome, messageId };
}
