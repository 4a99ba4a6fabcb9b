import { expect, it } from 'vitest';
import type { Connection } from './connection.ts';
import { LIMITS } from './limits.ts';
import { Lobby } from './lobby.ts';

/* Strangers who connect from ever more addresses, and say nothing. */

it('there are only so many connections without a session, from however many addresses', () => {
  const lobby = new Lobby();
  const closed: number[] = [];
  const enter = (address: string) => {
    const close = (code: number) => {
      closed.push(code);
      lobby.leave(connection);
    };
    const connection = { address, close } as Partial<Connection> as Connection;
    lobby.enter(connection);
    return connection;
  };
  const surplus = 100;
  for (let at = 0; at < LIMITS.strangers.value; at++)
    enter(`2001:db8:${(at >> 8).toString(16)}:${(at & 255).toString(16)}::1`);
  expect(closed).toEqual([]);
  expect(lobby.size).toBe(LIMITS.strangers.value);
  for (let at = 0; at < surplus; at++) enter(`2001:db8:ffff:${at.toString(16)}::1`);
  expect(lobby.size).toBe(LIMITS.strangers.value);
  expect(closed).toEqual(Array.from({ length: surplus }, () => 1013));
});
