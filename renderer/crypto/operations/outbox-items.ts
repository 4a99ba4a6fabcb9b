import type { MessageContent, send } from '../../../protocol/chat.ts';
import type { MessageId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';
import type { OutboxRow } from '../../db/profile-database.ts';
import type { Profile } from '../profile.ts';

/** What waits to be sent. */
export interface OutboxItem {
  readonly content: MessageContent;
  /** Once sealed: what is sent, byte for byte, until the server accepts or refuses it. */
  readonly params: ParamsOf<typeof send> | null;
}

export function sealOutboxItem({ sealer }: Profile, messageId: MessageId, item: OutboxItem) {
  return sealer.seal('outbox', messageId, item);
}

/** Null if it is damaged. */
export function openOutboxItem({ sealer }: Profile, row: OutboxRow): Promise<OutboxItem | null> {
  return sealer.openIntact<OutboxItem>('outbox', row.messageId, row.sealed);
}
