import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { Budget, Budgets } from './budget.ts';
import { Connection } from './connection.ts';
import { LIMITS } from './limits.ts';

function setUp() {
  const socket = {
    paused: false,
    pause: () => void (socket.paused = true),
    resume: () => void (socket.paused = false),
  };
  const budget = new Budget(1, 0);
  const options = { address: '192.0.2.1', budget, onIdentified: () => budget };
  const connection = new Connection(socket as unknown as WebSocket, {} as Duplex, options);
  return { socket, budget, connection };
}

it('takes the frames of one read in turns, in order, and reads no more until they are taken', async () => {
  const { socket, budget, connection } = setUp();
  const taken: number[] = [];
  const take = (frame: number) => () => {
    taken.push(frame);
    budget.work(LIMITS.workMsPerTurn.value / 2, 0);
  };
  for (let frame = 0; frame < 5; frame++) connection.inTurn(take(frame));
  expect(taken).toEqual([0, 1]);
  expect(socket.paused).toBe(true);
  for (let turns = 0; socket.paused && turns < 20; turns++) {
    const before = taken.length;
    await nextTurn();
    expect(taken.length - before).toBeLessThanOrEqual(2);
  }
  expect(taken).toEqual([0, 1, 2, 3, 4]);
  expect(socket.paused).toBe(false);
});

it('counts time of the database for the account, and none for strangers', () => {
  const { budget, connection } = setUp();
  expect(connection.payer).toBe(budget.uncounted);
  connection.identify('test', null);
  expect(connection.payer).toBe(budget.uncounted);
  connection.identify('test', { userId: 'u' } as never);
  expect(connection.payer).toBe(budget);
  expect(connection.caller?.payer).toBe(budget);
});

it('where a crowd of strangers has had its turn, all wait but those who have said nothing yet', async () => {
  const budgets = new Budgets(1);
  const open = (address: string) => {
    const socket = { pause: () => undefined, resume: () => undefined } as unknown as WebSocket;
    const budget = budgets.ofStrangers(address);
    return new Connection(socket, {} as Duplex, { address, budget, onIdentified: () => budget });
  };
  const [first, second] = [open('192.0.2.1'), open('192.0.2.2')];
  second.isGreeting(true, 100);
  budgets.ofStrangers('others').work(LIMITS.strangersMsPerTurn.value, 0);
  const taken: string[] = [];
  first.inTurn(() => taken.push('a first hello'));
  second.inTurn(() => taken.push('a later frame'));
  expect(taken).toEqual(['a first hello']);
  for (let turns = 0; taken.length < 2 && turns < 5; turns++) await nextTurn();
  expect(taken).toEqual(['a first hello', 'a later frame']);
});
