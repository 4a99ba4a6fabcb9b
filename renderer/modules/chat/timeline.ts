import type { MessageId } from '../../../protocol/ids.ts';
import { daysBetween } from '../../i18n/format.ts';
import type { Message } from './model.ts';

/** Consecutive messages of one person stand together while they are no further apart than this. Milliseconds. */
const TOGETHER_MS = 5 * 60_000;

export interface TimelineMessage {
  readonly message: Message;
  /** The time and the delivery mark are shown: at the end of a group, and wherever the mark differs from the next one. */
  readonly showMeta: boolean;
  /** At the end of its group. */
  readonly last: boolean;
}

export type TimelineItem =
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'call'; readonly key: string; readonly message: Message }
  | {
      readonly kind: 'group';
      readonly key: string;
      readonly mine: boolean;
      readonly messages: readonly TimelineMessage[];
    };

/**
 * Lays messages (oldest first) out as days, groups and calls.
 *
 * @param unreadFrom the first message that had not been read when the conversation was opened.
 */
export function timelineOf(messages: readonly Message[], unreadFrom: MessageId | null): readonly TimelineItem[] {
  const items: TimelineItem[] = [];
  let group: Message[] = [];
  let previous: Message | undefined;

  const close = () => {
    const first = group[0];
    if (first !== undefined) {
      items.push({ kind: 'group', key: first.messageId, mine: first.mine, messages: group.map(withMeta) });
    }
    group = [];
  };
  for (const message of messages) {
    const newDay = previous === undefined || daysBetween(previous.sentAt, message.sentAt) !== 0;
    const newUnread = message.messageId === unreadFrom;
    if (newDay || newUnread || message.body.kind === 'call' || !together(previous, message)) close();
    if (newDay) items.push({ kind: 'day', key: `day ${message.messageId}`, at: message.sentAt });
    if (newUnread) items.push({ kind: 'unread', key: 'unread' });
    if (message.body.kind === 'call') items.push({ kind: 'call', key: message.messageId, message });
    else group.push(message);
    previous = message;
  }
  close();
  return items;
}

function together(previous: Message | undefined, message: Message): boolean {
  return (
    previous !== undefined &&
    previous.body.kind !== 'call' &&
    previous.sender === message.sender &&
    Math.abs(message.sentAt - previous.sentAt) <= TOGETHER_MS
  );
}

/** As they were laid out last: what has not changed is the same object again, and its part of the screen is left alone. */
const laidOut = new WeakMap<Message, TimelineMessage>();

function withMeta(message: Message, index: number, group: readonly Message[]): TimelineMessage {
  const next = group[index + 1];
  const last = next === undefined;
  const showMeta = last || next.state !== message.state;
  const before = laidOut.get(message);
  if (before?.showMeta === showMeta && before.last === last) return before;
  const now = { message, showMeta, last };
  laidOut.set(message, now);
  return now;
}

/** The first unread message among those shown: unread ones are the newest of the other person. Null if there is none. */
export function firstUnread(messages: readonly Message[], unread: number): MessageId | null {
  if (unread <= 0) return null;
  const theirs = messages.filter(({ mine }) => !mine);
  return theirs[Math.max(0, theirs.length - unread)]?.messageId ?? null;
}
