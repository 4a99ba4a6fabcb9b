import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi, type MockInstance } from 'vitest';
import { leave } from '../../../protocol/calls.ts';
import type { Sfu } from '../../sfu/sfu.ts';
import { LiveCall } from './call.ts';
import { CallsByConnection } from './calls-by-connection.ts';
import type { CallsHarness, TestClient } from './testing/calls-harness.ts';
import { code, eachWithCalls, join, latest, meeting, settled, start, stateOf } from './testing/meeting.ts';

/* Anybody may open connections and close them again; it costs the calls of others nothing. */

let sfu: Sfu;
let harness: CallsHarness;
let alice: TestClient;
let bob: TestClient;
let carol: TestClient;
eachWithCalls((calls) => {
  ({ sfu, harness, alice, bob, carol } = calls);
});

/** Each is a task in a call. */
let released: MockInstance<LiveCall['disconnected']>;
beforeEach(() => {
  released = vi.spyOn(LiveCall.prototype, 'disconnected');
});
afterEach(() => released.mockRestore());

it('a connection that closes touches no call that it is not in', async () => {
  for (let i = 0; i < 20; i += 1) await start(harness.client(), harness.client());
  const callId = await meeting(alice, bob);
  for (let i = 0; i < 100; i += 1) harness.disconnect(randomUUID());
  bob.otherDevice().disconnect();
  expect(released).not.toHaveBeenCalled();
  bob.disconnect();
  bob.disconnect();
  expect(released.mock.calls).toEqual([[bob.connectionId]]);
  await settled(alice);
  expect([latest(alice).callId, stateOf(latest(alice), bob)]).toEqual([callId, 'reconnecting']);
});

it('a connection that left a call touches it no more', async () => {
  const left = await meeting(carol, bob);
  await bob.request(leave, { callId: left });
  await meeting(alice, bob);
  bob.disconnect();
  expect(released).toHaveBeenCalledOnce();
});

it('a connection that closes while it joins holds nothing afterwards, however often it asked', async () => {
  const callId = await start(alice, bob);
  await join(alice, callId);
  const joins = [code(join(bob, callId)), code(join(bob, callId)), code(join(bob, callId))];
  bob.disconnect();
  await Promise.all(joins);
  await settled(alice);
  await vi.waitFor(async () => expect(await sfu.dump()).toEqual({ routers: 1, transports: 2 }));
  expect(stateOf(latest(alice), bob)).toBe('reconnecting');
});

it('keeps nothing of connections that closed, nor of those whose joins were refused', async () => {
  const release = vi.fn();
  const index = new CallsByConnection(release);
  const call = { holds: () => false } as Partial<LiveCall> as LiveCall;
  const refused = index.joining(call, 'a', () => Promise.reject(new Error('full')));
  expect(index.size).toBe(1);
  await expect(refused).rejects.toThrow('full');
  expect(index.size).toBe(0);
  const seated = { holds: () => true } as Partial<LiveCall> as LiveCall;
  await index.joining(seated, 'b', async () => undefined);
  index.closed('b');
  expect([index.size, release.mock.calls]).toEqual([0, [[seated, 'b']]]);
});
