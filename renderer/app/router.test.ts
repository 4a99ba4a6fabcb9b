import { expect, test } from 'vitest';
import { Router } from './router.svelte.ts';

const INVITATION = 'i'.repeat(43);

/** A window's address and history, as far as the router knows them. */
class FakeWindow extends EventTarget {
  readonly location = { hash: '' };
  readonly history = {
    state: null as unknown,
    replaceState: (state: unknown, _: string, hash: string) => {
      this.history.state = state;
      this.location.hash = hash;
    },
  };
  go(hash: string) {
    this.location.hash = hash;
    this.history.state = null;
    this.dispatchEvent(new Event('hashchange'));
  }
}

function open(hash: string) {
  const window = new FakeWindow();
  window.location.hash = hash;
  return { window, start: () => new Router(window as unknown as Window) };
}

test('follows the address while it listens', () => {
  const { window, start } = open('#/calls');
  const router = start();
  expect(router.route).toEqual({ page: 'calls' });
  const stop = router.listen();
  window.go('#/contacts');
  expect(router.route).toEqual({ page: 'contacts' });
  stop();
  window.go('#/calls');
  expect(router.route).toEqual({ page: 'contacts' });
});

test('a concealed invitation leaves the address but outlives a reload', () => {
  const { window, start } = open(`#/join/${INVITATION}`);
  start().conceal();
  expect(window.location.hash).not.toContain(INVITATION);
  expect(start().route).toEqual({ page: 'join', invitation: INVITATION });
});

test('going on forgets the invitation', () => {
  const { start } = open(`#/join/${INVITATION}`);
  const router = start();
  router.conceal();
  router.replace({ page: 'chats', userId: null });
  expect(start().route).toEqual({ page: 'chats', userId: null });
});
