import type { Message, MessageBody } from '../chat/model.ts';

type CallBody = Extract<MessageBody, { kind: 'call' }>;

/** One line of the history of calls. */
export interface PastCall {
  readonly message: Message;
  readonly body: CallBody;
  readonly missed: boolean;
}

/** The finished calls among these messages, newest first. Calls that go on are offered for rejoining instead. */
export function pastCalls(messages: readonly Message[]): readonly PastCall[] {
  return messages
    .flatMap((message) =>
      message.body.kind === 'call' && message.body.outcome !== 'ongoing'
        ? [{ message, body: message.body, missed: isMissed(message, message.body) }]
        : [],
    )
    .toSorted((a, b) => b.message.order - a.message.order);
}

/** A call of another person that this one did not take, for whatever reason but refusing it. */
function isMissed(message: Message, body: CallBody): boolean {
  return !message.mine && ['missed', 'cancelled', 'unanswered'].includes(body.outcome);
}
