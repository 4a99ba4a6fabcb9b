import { describe, expect, it } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { MAX_PARTICIPANTS, REJOIN_MS, RING_MS } from '../../../protocol/calls.ts';
import type { RtpCapabilities } from '../../../protocol/media.ts';
import type { Sfu } from '../../sfu/sfu.ts';
import { type CallsHarness, type TestClient } from './testing/calls-harness.ts';
import {
  code,
  eachWithCalls,
  film,
  join,
  latest,
  liveOf,
  meeting,
  settled,
  speak,
  start,
  stateOf,
} from './testing/meeting.ts';

let sfu: Sfu;
let harness: CallsHarness;
let alice: TestClient;
let bob: TestClient;
let carol: TestClient;
eachWithCalls((calls) => {
  ({ sfu, harness, alice, bob, carol } = calls);
});

describe('joining', () => {
  it('offers what is there to those who come, and what comes to those who are there', async () => {
    const callId = await start(alice, bob, carol);
    const first = await join(alice, callId);
    expect(first.consumers).toEqual([]);
    expect(new Set([first.sendTransport.id, first.receiveTransport.id]).size).toBe(2);
    const { producerId } = await speak(alice, callId);

    const second = await join(bob, callId);
    expect(second.consumers).toHaveLength(1);
    expect(second.consumers[0]).toMatchObject({
      producerId,
      participantId: first.participantId,
      source: 'microphone',
      kind: 'audio',
      producerPaused: false,
    });
    const video = await film(bob, callId);
    expect(alice.heard(wire.consumerAdded).map(({ consumer }) => [consumer.producerId, consumer.source])).toEqual([
      [video.producerId, 'camera'],
    ]);
    expect(bob.heard(wire.consumerAdded)).toEqual([]);
    expect(carol.heard(wire.consumerAdded)).toEqual([]);
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 4 });
  });

  it('misses nothing and doubles nothing when all come at once', async () => {
    const others = Array.from({ length: MAX_PARTICIPANTS - 1 }, () => harness.client());
    const callId = await start(alice, ...others);
    const everybody = [alice, ...others];
    const joins = await Promise.all(
      everybody.map(async (person) => {
        const joined = await join(person, callId);
        await Promise.all([speak(person, callId), film(person, callId)]);
        return joined;
      }),
    );
    everybody.forEach((person, index) => {
      const offered = [
        ...(joins[index]?.consumers ?? []),
        ...person.heard(wire.consumerAdded).map(({ consumer }) => consumer),
      ];
      const sources = offered.map(({ participantId, source }) => `${participantId} ${source}`);
      expect(sources).toHaveLength(2 * (MAX_PARTICIPANTS - 1));
      expect(new Set(sources).size).toBe(sources.length);
      expect(sources.filter((text) => text.startsWith(joins[index]?.participantId ?? '?'))).toEqual([]);
    });
    expect(liveOf(latest(alice), others[0]!)?.slice().sort()).toEqual(['camera', 'microphone']);
  });

  it('moves a person to the device they join from', async () => {
    const callId = await meeting(alice, bob);
    await speak(bob, callId);
    const phone = bob.otherDevice();
    const before = latest(alice).participants[1]?.participantId;
    const moved = await join(phone, callId);
    expect(moved.participantId).toBe(before);
    expect(alice.heard(wire.consumerRemoved)).toHaveLength(1);
    expect(latest(bob).participants[1]).toMatchObject({ state: 'joined', deviceId: phone.deviceId, live: [] });
    expect(await code(speak(bob, callId))).toBe('call_not_joined');
    expect(await code(bob.request(wire.leave, { callId }))).toBe('call_not_joined');
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 4 });
  });

  it('refuses capabilities that are none, and leaves the call as it was', async () => {
    const callId = await start(alice, bob);
    const rtpCapabilities = { codecs: 'all' } as unknown as RtpCapabilities;
    expect(await code(alice.request(wire.join, { callId, rtpCapabilities }))).toBe('invalid_request');
    await join(alice, callId);
    expect(stateOf(latest(alice), bob)).toBe('ringing');
  });

  it('refuses one too many', async () => {
    const others = Array.from({ length: MAX_PARTICIPANTS - 1 }, () => harness.client());
    const callId = await start(alice, ...others);
    await join(alice, callId);
    expect(await code(alice.request(wire.invite, { callId, users: [carol.userId] }))).toBe('call_full');
    await others[0]!.request(wire.decline, { callId, reason: 'declined' });
    await alice.request(wire.invite, { callId, users: [carol.userId] });
    expect(carol.heard(wire.ringing)).toHaveLength(1);
    expect(await code(join(others[0]!, callId))).toBe('call_full');
  });
});

describe('a connection that ends', () => {
  it('gives back all it held; the person may return for a while', async () => {
    const callId = await meeting(alice, bob);
    await speak(alice, callId);
    await speak(bob, callId);
    bob.disconnect();
    await settled(alice);
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 2 });
    expect(alice.heard(wire.consumerRemoved)).toHaveLength(1);
    expect(latest(alice).participants[1]).toMatchObject({ state: 'reconnecting', deviceId: bob.deviceId, live: [] });

    const again = bob.reconnected();
    expect((await again.request(wire.active, {})).calls.map((call) => stateOf(call, bob))).toEqual(['reconnecting']);
    harness.clock.advance(REJOIN_MS - 1);
    const { consumers } = await join(again, callId);
    expect(consumers.map(({ source }) => source)).toEqual(['microphone']);
    harness.clock.advance(REJOIN_MS + RING_MS);
    await settled(alice);
    expect(stateOf(latest(alice), bob)).toBe('joined');
  });

  it('is given up after the rejoin time', async () => {
    const callId = await meeting(alice, bob);
    bob.disconnect();
    await settled(alice);
    harness.clock.advance(REJOIN_MS);
    await settled(alice);
    expect(stateOf(latest(alice), bob)).toBe('left');
    expect(alice.heard(wire.ended)).toEqual([{ callId }]);
  });

  it('that was replaced takes nothing with it', async () => {
    const callId = await meeting(alice, bob);
    const again = bob.reconnected();
    await join(again, callId);
    bob.disconnect();
    await settled(alice);
    expect(stateOf(latest(alice), bob)).toBe('joined');
    await speak(again, callId);
  });

  it('lets a leave and a join that cross come out whole', async () => {
    const callId = await meeting(alice, bob, carol);
    for (let round = 0; round < 10; round += 1) {
      const outcome = await Promise.all([
        code(bob.request(wire.leave, { callId })),
        code(join(bob, callId)),
        code(speak(bob, callId)),
        code(alice.request(wire.leave, { callId })),
        code(join(alice, callId)),
      ]);
      expect(outcome).toEqual(['none', 'none', 'none', 'none', 'none']);
    }
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 6 });
    expect(liveOf(latest(carol), bob)).toEqual(['microphone']);
  });
});
