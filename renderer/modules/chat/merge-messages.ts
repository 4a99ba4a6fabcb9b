import type { MessageId } from '../../../protocol/ids.ts';
import type { Message } from './model.ts';

/** Messages by id, with `changed` in place of what was there and `removed` gone, in order. */
export function mergeMessages(
  shown: readonly Message[],
  changed: readonly Message[],
  removed: readonly MessageId[],
): readonly Message[] {
  const byId = new Map(shown.map((message) => [message.messageId, message]));
  for (const message of changed) byId.set(message.messageId, message);
  for (const messageId of removed) byId.delete(messageId);
  return [...byId.values()].sort((a, b) => a.order - b.order);
}
