import { Chat } from './chat.svelte.ts';
import type { ChatDependencies } from './chat.svelte.ts';

export type { CallOutcome, ChatController, Conversation, DeliveryState, Message, MessageBody } from './model.ts';

export function createChat(deps: ChatDependencies): Chat {
  return new Chat(deps);
}
