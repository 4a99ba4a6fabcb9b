import { describe, expect, it } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { RING_MS } from '../../../protocol/calls.ts';
import { METHODS } from '../../../protocol/contract.ts';
import { LIMITS } from './limits.ts';
import { type CallsHarness, newCallId, type TestClient } from './testing/calls-harness.ts';
import { code, eachWithCalls, join, latest, meeting, settled, start, stateOf } from './testing/meeting.ts';

let harness: CallsHarness;
let alice: TestClient;
let bob: TestClient;
let carol: TestClient;
eachWithCalls((calls) => {
  ({ harness, alice, bob, carol } = calls);
});

it('answers every method of calls that the contract has', () => {
  const contract = METHODS.map(({ name }) => name).filter((name) => name.startsWith('calls.'));
  expect(harness.module.methods.map(({ method }) => method.name).sort()).toEqual([...contract].sort());
});

describe('ringing', () => {
  it('rings all devices of those invited and shows the call to the starter', async () => {
    const callId = await start(alice, bob, carol);
    for (const rung of [bob, bob.otherDevice(), carol]) {
      expect(rung.heard(wire.ringing).map(({ call }) => call.callId)).toEqual([callId]);
    }
    expect(alice.heard(wire.ringing)).toEqual([]);
    const { calls } = await bob.request(wire.active, {});
    expect(calls.map((call) => [call.callId, stateOf(call, bob)])).toEqual([[callId, 'ringing']]);
  });

  it('starts one call however often it is asked', async () => {
    const callId = newCallId();
    const params = { callId, media: 'voice', invite: [bob.userId] } as const;
    const params2 = { ...params, invite: [...params.invite] };
    const answers = await Promise.all([alice.request(wire.start, params2), alice.request(wire.start, params2)]);
    expect(answers[1]).toEqual(answers[0]);
    expect(bob.heard(wire.ringing)).toHaveLength(1);
    expect(await code(carol.request(wire.start, params2))).toBe('invalid_request');
  });

  it('refuses accounts that are not there', async () => {
    const invite = [bob.userId, harness.stranger()];
    expect(await code(alice.request(wire.start, { callId: newCallId(), media: 'voice', invite }))).toBe('user_unknown');
    expect(bob.heard(wire.ringing)).toEqual([]);
  });

  it('stops on the other devices when one accepts', async () => {
    const callId = await start(alice, bob);
    const phone = bob.otherDevice();
    await join(bob, callId);
    expect(stateOf(latest(phone), bob)).toBe('joined');
    expect(latest(phone).participants[1]?.deviceId).toBe(bob.deviceId);
  });

  it.each(['declined', 'busy'] as const)('ends a call between two when it is %s', async (reason) => {
    const callId = await start(alice, bob);
    await bob.request(wire.decline, { callId, reason });
    expect(stateOf(latest(alice), bob)).toBe(reason);
    for (const device of [alice, bob.otherDevice()]) expect(device.heard(wire.ended)).toEqual([{ callId }]);
    expect((await alice.request(wire.active, {})).calls).toEqual([]);
    expect(await code(join(alice, callId))).toBe('call_ended');
    expect(await code(bob.request(wire.decline, { callId, reason }))).toBe('none');
  });

  it('is missed after the ring time', async () => {
    const callId = await start(alice, bob);
    await join(alice, callId);
    harness.clock.advance(RING_MS - 1);
    await settled(alice);
    expect(alice.heard(wire.ended)).toEqual([]);
    harness.clock.advance(1);
    await settled(alice);
    expect(stateOf(latest(bob), bob)).toBe('missed');
    expect(bob.heard(wire.ended)).toEqual([{ callId }]);
  });

  it('remembers an ended call for a while, then not', async () => {
    const callId = await start(alice, bob);
    await alice.request(wire.leave, { callId });
    expect(await code(join(bob, callId))).toBe('call_ended');
    harness.clock.advance(LIMITS.endedMemory.value);
    expect(await code(join(bob, callId))).toBe('call_unknown');
  });
});

describe('inviting', () => {
  it('turns a call between two into a group that outlives one who leaves', async () => {
    const callId = await meeting(alice, bob);
    const { call } = await bob.request(wire.invite, { callId, users: [carol.userId] });
    expect(stateOf(call, carol)).toBe('ringing');
    expect(carol.heard(wire.ringing).map(({ call: { startedBy } }) => startedBy)).toEqual([alice.userId]);
    await join(carol, callId);
    await alice.request(wire.leave, { callId });
    expect(bob.heard(wire.ended)).toEqual([]);
    await bob.request(wire.leave, { callId });
    await carol.request(wire.leave, { callId });
    expect(alice.heard(wire.ended)).toEqual([{ callId }]);
  });

  it('is for those in the call, of people who are there', async () => {
    const callId = await start(alice, bob);
    expect(await code(bob.request(wire.invite, { callId, users: [carol.userId] }))).toBe('call_not_joined');
    await join(alice, callId);
    expect(await code(alice.request(wire.invite, { callId, users: [harness.stranger()] }))).toBe('user_unknown');
    expect(carol.heard(wire.ringing)).toEqual([]);
  });
});

describe('closing the module', () => {
  it('ends every call and lets go of its connections', async () => {
    const callId = await meeting(alice, bob);
    await harness.module.close?.();
    expect(bob.heard(wire.ended)).toEqual([{ callId }]);
    expect(harness.listeners).toBe(0);
  });
});
