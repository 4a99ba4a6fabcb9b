import { describe, expect, test } from 'vitest';
import { CallId, MessageId, UserId } from '../protocol/ids.ts';
import { parseDeepLink, parseServerAddress } from '../protocol/ipc/server-address.ts';
import { hostileTexts, LENGTH, longTexts, slowOn } from '../protocol/testing/hostile-text.ts';
import { unpad } from '../crypto/envelopes/padding.ts';
import { utf8 } from '../crypto/bytes.ts';
import { matchingCommands } from './app/commands.ts';
import { parseRoute } from './app/route.ts';
import { en } from './i18n/en.ts';
import { createFormat } from './i18n/format.ts';
import { invitationIn } from './modules/accounts/invitation-link.ts';
import { linkify } from './modules/chat/linkify.ts';
import type { Message } from './modules/chat/model.ts';
import { previewOf } from './modules/chat/preview.ts';
import { timelineOf } from './modules/chat/timeline.ts';
import { hueOf, initialsOf } from './ui/hue.ts';
import { matchesPerson } from './ui/match-person.ts';
import { strengthOf } from './ui/password-strength.ts';

const format = createFormat('en', en);
const userId = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002');
const callId = CallId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a003');
const messageId = MessageId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a004');

function message(text: string): Message {
  const body = { kind: 'text', text } as const;
  return { messageId, conversation: userId, sender: userId, mine: false, body, sentAt: 0, order: 1, state: null };
}

const FUNCTIONS: Readonly<Record<string, (text: string) => unknown>> = {
  linkify,
  'the preview': (text) => previewOf(message(text), en),
  'the timeline': (text) => timelineOf([message(text)], null),
  'the initials of a name': initialsOf,
  'the hue of a name': hueOf,
  'finding a person': (text) => matchesPerson({ displayName: text, username: text }, text),
  'finding a command': (text) =>
    matchingCommands(
      [{ id: callId, name: text, detail: text, words: text, icon: null, run: () => undefined }],
      'a b',
      9,
    ),
  'an invitation': invitationIn,
  'an address': parseServerAddress,
  'a deep link': parseDeepLink,
  'a route': parseRoute,
  'a list of names': (text) => format.list([text, text]),
  'comparing names': (text) => format.collator.compare(text, `${text}a`),
  'the strength of a password': strengthOf,
  'the padding of content': (text) => unpad(utf8(text)),
};

describe('on 10,000 characters of whatever kind, and more', () => {
  const texts = [...hostileTexts(LENGTH), ...longTexts()];
  test.each(Object.entries(FUNCTIONS))('%s is quick', (_, run) => expect(slowOn(texts, run)).toEqual([]), 120_000);
});

test('a preview is short, and ends with no half character', () => {
  expect(previewOf(message(`${' '.repeat(400)}tea`), en)).toBe('tea');
  const emoji = previewOf(message(`a${'😀'.repeat(400)}`), en);
  expect(emoji.length).toBeLessThanOrEqual(300);
  expect(emoji.isWellFormed()).toBe(true);
});
