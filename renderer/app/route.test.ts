import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserId } from '../../protocol/ids.ts';
import { hashOf, home, parseRoute, settingsSections, type Route } from './route.ts';

const token = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/);
const userId = fc.uuid({ version: 4 }).map((id) => UserId.parse(id));
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.record({ page: fc.constant('chats' as const), userId: fc.option(userId) }),
  fc.constantFrom<Route>({ page: 'calls' }, { page: 'contacts' }, { page: 'join-unreadable' }),
  fc.record({ page: fc.constant('settings' as const), section: fc.option(fc.constantFrom(...settingsSections)) }),
  fc.record({ page: fc.constant('join' as const), invitation: token }),
  fc.record({ page: fc.constant('reset' as const), reset: token }),
);

test('every route comes back from its fragment', () => {
  fc.assert(
    fc.property(route, (one) => {
      expect(parseRoute(hashOf(one))).toEqual(one);
    }),
  );
});

test('anything else is the home page, and never throws', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#/chats/../../etc', '#/chats/not-a-person']) {
    expect(parseRoute(hash)).toEqual(home);
  }
  fc.assert(
    fc.property(fc.string(), (hash) => {
      expect(parseRoute(hash)).toHaveProperty('page');
    }),
  );
});

test('a cut-off invitation is told from a whole one', () => {
  expect(parseRoute('#/join/too-short')).toEqual({ page: 'join-unreadable' });
  expect(parseRoute(`#/join/${'a'.repeat(43)}`)).toEqual({ page: 'join', invitation: 'a'.repeat(43) });
});
