import { expect, test } from 'vitest';
import { UserId } from '../../../protocol/ids.ts';
import type { Conversation } from './model.ts';
import { matchesSearch } from './search.ts';

const userId = UserId.parse('11111111-1111-4111-8111-111111111111');
const zoe: Conversation = {
  userId,
  person: { userId, username: 'zgarcia', displayName: 'Zoë García-Márquez', role: 'member' },
  last: null,
  unread: 0,
  draft: '',
  problem: null,
};

test.each(['', 'zoe', 'ZOË', 'garcia', 'marq', 'zoe mar', 'zgar', '  zoe  '])('"%s" finds her', (text) =>
  expect(matchesSearch(zoe, text)).toBe(true),
);
test.each(['oe', 'zoe ben', 'arquez'])('"%s" does not', (text) => expect(matchesSearch(zoe, text)).toBe(false));
