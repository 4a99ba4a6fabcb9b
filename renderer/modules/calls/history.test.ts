import { expect, test } from 'vitest';
import { CallId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { CallOutcome, Message } from '../chat/model.ts';
import { pastCalls } from './history.ts';

const me = UserId.parse('11111111-1111-4111-8111-111111111111');
const them = UserId.parse('22222222-2222-4222-8222-222222222222');
const callId = CallId.parse('33333333-3333-4333-8333-333333333333');

function entry(order: number, mine: boolean, outcome: CallOutcome): Message {
  const messageId = MessageId.parse(`00000000-0000-4000-8000-${String(order).padStart(12, '0')}`);
  const body = { kind: 'call', callId, media: 'voice', outcome, durationMs: null } as const;
  return { messageId, conversation: them, sender: mine ? me : them, mine, body, sentAt: order, order, state: null };
}

test('newest first, without what still goes on and without what is no call', () => {
  const text: Message = { ...entry(4, true, 'answered'), body: { kind: 'text', text: 'tea' } };
  const past = pastCalls([entry(1, true, 'answered'), entry(2, false, 'ongoing'), entry(3, false, 'declined'), text]);
  expect(past.map(({ message }) => message.order)).toEqual([3, 1]);
});

test('missed are the calls of others that were not taken', () => {
  const missed = (mine: boolean, outcome: CallOutcome) => pastCalls([entry(1, mine, outcome)])[0]?.missed;
  expect([missed(false, 'missed'), missed(false, 'cancelled'), missed(false, 'unanswered')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([missed(false, 'answered'), missed(false, 'declined')]).toEqual([false, false]);
  expect([missed(true, 'unanswered'), missed(true, 'cancelled')]).toEqual([false, false]);
});
