import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CallId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { DeliveryState, Message } from './model.ts';
import { firstUnread, timelineOf } from './timeline.ts';

const me = UserId.parse('11111111-1111-4111-8111-111111111111');
const them = UserId.parse('22222222-2222-4222-8222-222222222222');
const noon = new Date(2026, 2, 10, 12).getTime();
const MINUTE = 60_000;

let made = 0;
function message(sentAt: number, mine: boolean, state: DeliveryState | null = mine ? 'sent' : null): Message {
  made += 1;
  return {
    messageId: MessageId.parse(`00000000-0000-4000-8000-${String(made).padStart(12, '0')}`),
    conversation: them,
    sender: mine ? me : them,
    mine,
    body: { kind: 'text', text: 'tea' },
    sentAt,
    order: made,
    state,
  };
}
function call(sentAt: number): Message {
  const body = { kind: 'call', media: 'voice', outcome: 'missed', durationMs: null } as const;
  return { ...message(sentAt, false), body: { ...body, callId: CallId.parse('33333333-3333-4333-8333-333333333333') } };
}
const shape = (messages: readonly Message[], unreadFrom: MessageId | null = null) =>
  timelineOf(messages, unreadFrom).map((item) => (item.kind === 'group' ? item.messages.length : item.kind));

describe('groups', () => {
  test('consecutive messages of one person stand together', () => {
    expect(shape([message(noon, true), message(noon + MINUTE, true)])).toEqual(['day', 2]);
  });
  test('another person begins another group', () => {
    expect(shape([message(noon, true), message(noon, false), message(noon, true)])).toEqual(['day', 1, 1, 1]);
  });
  test('so does a pause', () => {
    expect(shape([message(noon, true), message(noon + 6 * MINUTE, true)])).toEqual(['day', 1, 1]);
  });
  test('and a call, which stands alone', () => {
    expect(shape([message(noon, false), call(noon), message(noon, false)])).toEqual(['day', 1, 'call', 1]);
  });
});

test('a new day has its line, however few minutes have passed', () => {
  const midnight = new Date(2026, 2, 11).getTime();
  expect(shape([message(midnight - MINUTE, true), message(midnight + MINUTE, true)])).toEqual(['day', 1, 'day', 1]);
});

test('the line of unread messages stands before the first of them', () => {
  const first = message(noon, false);
  const second = message(noon, false);
  expect(shape([first, second], second.messageId)).toEqual(['day', 1, 'unread', 1]);
});

test('the mark shows at the end of a group and where the next one differs', () => {
  const messages = [
    message(noon, true, 'read'),
    message(noon, true, 'read'),
    message(noon, true, 'sent'),
    message(noon, true, 'sent'),
  ];
  const group = timelineOf(messages, null).find((item) => item.kind === 'group');
  expect(group?.kind === 'group' && group.messages.map(({ showMeta }) => showMeta)).toEqual([false, true, false, true]);
});

test('every message is there once, in order, under keys of their own', () => {
  const kinds = fc.array(fc.record({ minutes: fc.nat(2000), mine: fc.boolean(), isCall: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(kinds, (list) => {
      let at = noon;
      const messages = list.map(({ minutes, mine, isCall }) => {
        at += minutes * MINUTE;
        return isCall ? call(at) : message(at, mine);
      });
      const items = timelineOf(messages, messages[3]?.messageId ?? null);
      const shown = items.flatMap((item) => {
        if (item.kind === 'group') return item.messages.map((one) => one.message);
        return item.kind === 'call' ? [item.message] : [];
      });
      expect(shown).toEqual(messages);
      expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
    }),
  );
});

describe('the first unread message', () => {
  const mine = message(noon, true);
  const [a, b, c] = [message(noon, false), message(noon, false), message(noon, false)];
  test('is counted from the end, among those of the other person', () => {
    expect(firstUnread([a, b, mine, c], 2)).toBe(b.messageId);
  });
  test('is the oldest shown when there are more than are shown', () => {
    expect(firstUnread([mine, b, c], 50)).toBe(b.messageId);
  });
  test('is none when all is read, or nothing is of the other person', () => {
    expect(firstUnread([a, b], 0)).toBeNull();
    expect(firstUnread([mine], 3)).toBeNull();
  });
});
