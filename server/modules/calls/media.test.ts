import { describe, expect, it, vi } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { REJOIN_MS } from '../../../protocol/calls.ts';
import { createSfu } from '../../sfu/sfu.ts';
import { dtlsParameters, silentLog } from '../../sfu/testing/rtp-parameters.ts';
import { CallsHarness, type TestClient } from './testing/calls-harness.ts';
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

let harness: CallsHarness;
let alice: TestClient;
let bob: TestClient;
let carol: TestClient;
eachWithCalls((calls) => {
  ({ harness, alice, bob, carol } = calls);
});

describe('media', () => {
  it('shows muting and its end to everybody', async () => {
    const callId = await meeting(alice, bob);
    const { producerId } = await speak(alice, callId);
    expect(liveOf(latest(bob), alice)).toEqual(['microphone']);
    const consumerId = bob.heard(wire.consumerAdded)[0]?.consumer.consumerId;

    await alice.request(wire.setProducer, { callId, producerId, state: 'paused' });
    expect(bob.heard(wire.consumerPaused)).toEqual([{ callId, consumerId, paused: true }]);
    expect(liveOf(latest(bob), alice)).toEqual([]);

    await alice.request(wire.setProducer, { callId, producerId, state: 'live' });
    expect(bob.heard(wire.consumerPaused).at(-1)).toEqual({ callId, consumerId, paused: false });
    expect(liveOf(latest(bob), alice)).toEqual(['microphone']);

    await alice.request(wire.setProducer, { callId, producerId, state: 'closed' });
    expect(bob.heard(wire.consumerRemoved)).toEqual([{ callId, consumerId }]);
    expect(liveOf(latest(bob), alice)).toEqual([]);
    await alice.request(wire.setProducer, { callId, producerId, state: 'closed' });
  });

  it('says who speaks, also to those who come later', async () => {
    const callId = await start(alice, bob);
    const { participantId } = await join(alice, callId);
    const { producerId } = await speak(alice, callId);
    await vi.waitFor(() => expect(alice.heard(wire.activeSpeaker).at(-1)).toEqual({ callId, participantId }), 3000);
    await join(bob, callId);
    expect(bob.heard(wire.activeSpeaker)).toEqual([{ callId, participantId }]);
    await alice.request(wire.setProducer, { callId, producerId, state: 'paused' });
    expect(bob.heard(wire.activeSpeaker).at(-1)).toEqual({ callId, participantId: null });
  });

  it('may begin muted', async () => {
    const callId = await meeting(alice, bob);
    await speak(alice, callId, true);
    expect(bob.heard(wire.consumerAdded)[0]?.consumer.producerPaused).toBe(true);
    expect(liveOf((await bob.request(wire.active, {})).calls[0]!, alice)).toEqual([]);
  });

  it('connects transports, restarts ICE and sets consumers', async () => {
    const callId = await start(alice, bob);
    const { sendTransport, receiveTransport } = await join(alice, callId);
    await film(alice, callId);
    const { consumers } = await join(bob, callId);
    for (const { id: transportId } of [sendTransport, receiveTransport]) {
      await alice.request(wire.connectTransport, { callId, transportId, dtlsParameters: dtlsParameters() });
    }
    const transportId = sendTransport.id;
    const { iceParameters } = await alice.request(wire.restartIce, { callId, transportId });
    expect(iceParameters['password']).not.toBe(sendTransport.iceParameters['password']);
    const consumerId = consumers[0]!.consumerId;
    const preferredLayers = { spatialLayer: 0, temporalLayer: 1 };
    await bob.request(wire.setConsumer, { callId, consumerId, paused: false, preferredLayers });
    await bob.request(wire.setConsumer, { callId, consumerId, paused: true });
  });

  it("does not know others' transports, producers and consumers", async () => {
    const callId = await start(alice, bob);
    const { sendTransport } = await join(alice, callId);
    const { producerId } = await speak(alice, callId);
    const { consumers } = await join(bob, callId);
    const transport = { callId, transportId: sendTransport.id };
    const consumer = { callId, consumerId: consumers[0]!.consumerId, paused: false };
    const attempts: [string, Promise<unknown>][] = [
      ['connect', bob.request(wire.connectTransport, { ...transport, dtlsParameters: dtlsParameters() })],
      ['restart', bob.request(wire.restartIce, transport)],
      ['mute', bob.request(wire.setProducer, { callId, producerId, state: 'paused' })],
      ['end', bob.request(wire.setProducer, { callId, producerId, state: 'closed' })],
      ['consume', alice.request(wire.setConsumer, consumer)],
    ];
    const outcomes = await Promise.all(attempts.map(async ([name, attempt]) => [name, await code(attempt)]));
    // Closing what is not one's own is, like a repeat, without effect.
    const refused = (name: string) => [name, 'media_rejected'];
    expect(outcomes).toEqual([
      refused('connect'),
      refused('restart'),
      refused('mute'),
      ['end', 'none'],
      refused('consume'),
    ]);
    expect(liveOf(latest(bob), alice)).toEqual(['microphone']);
    expect(bob.heard(wire.consumerRemoved)).toEqual([]);
  });

  it('is only for those in the call', async () => {
    const callId = await start(alice, bob);
    const { sendTransport } = await join(alice, callId);
    const transport = { callId, transportId: sendTransport.id };
    const asked = (client: TestClient) => [
      client.request(wire.connectTransport, { ...transport, dtlsParameters: dtlsParameters() }),
      client.request(wire.restartIce, transport),
      speak(client, callId),
      client.request(wire.setProducer, { callId, producerId: 'x', state: 'live' }),
      client.request(wire.setConsumer, { callId, consumerId: 'x', paused: false }),
      client.request(wire.invite, { callId, users: [carol.userId] }),
    ];
    const codes = async (client: TestClient) => [...new Set(await Promise.all(asked(client).map(code)))];
    expect(await codes(bob)).toEqual(['call_not_joined']);
    // The same person and device, but another connection than the one that joined.
    expect(await codes(alice.reconnected())).toEqual(['call_not_joined']);
    expect(await codes(carol)).toEqual(['call_unknown']);
    expect(await code(carol.request(wire.leave, { callId }))).toBe('call_unknown');
    expect(await code(carol.request(wire.decline, { callId, reason: 'declined' }))).toBe('call_unknown');
    expect(await code(join(carol, callId))).toBe('call_unknown');
    expect((await carol.request(wire.active, {})).calls).toEqual([]);
    expect(harness.recorded.filter(({ userId }) => userId === carol.userId)).toEqual([]);
  });
});

describe('a media worker that dies', () => {
  it('sends everybody to a new room by themselves', async () => {
    const own = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
    const other = new CallsHarness(own);
    const [anna, ben] = [other.client(), other.client()];
    try {
      const callId = await meeting(anna, ben);
      await speak(anna, callId);
      process.kill(own.pids[0]!, 'SIGKILL');
      await vi.waitFor(() => expect(stateOf(latest(ben), anna)).toBe('reconnecting'), 5000);
      expect(stateOf(latest(anna), ben)).toBe('reconnecting');
      expect(await code(speak(anna, callId))).toBe('call_not_joined');

      // At once, though the next worker may not be there yet.
      await join(anna, callId);
      await speak(anna, callId);
      expect((await join(ben, callId)).consumers).toHaveLength(1);
      other.clock.advance(REJOIN_MS);
      await settled(alice);
      expect(latest(ben).participants.map(({ state }) => state)).toEqual(['joined', 'joined']);
      expect(await own.dump()).toEqual({ routers: 1, transports: 4 });
    } finally {
      await other.module.close?.();
      await own.close();
    }
  });
});

describe('a media server that does not come back', () => {
  it('keeps the places of those who go on asking, and of nobody else', async () => {
    const own = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
    const other = new CallsHarness(own);
    const [anna, ben, cai] = [other.client(), other.client(), other.client()];
    try {
      const callId = await meeting(anna, ben, cai);
      await own.close();
      for (const one of [anna, ben, cai]) expect(await code(join(one, callId))).toBe('unavailable');
      expect(latest(anna).participants.map(({ state }) => state)).toEqual(Array(3).fill('reconnecting'));
      for (let round = 0; round < 10; round += 1) {
        other.clock.advance(REJOIN_MS / 3);
        for (const one of [anna, ben]) expect(await code(join(one, callId))).toBe('unavailable');
      }
      await settled(alice);
      expect(latest(anna).participants.map(({ state }) => state)).toEqual(['reconnecting', 'reconnecting', 'left']);
      other.clock.advance(REJOIN_MS);
      await settled(alice);
      expect(anna.heard(wire.ended)).toEqual([{ callId }]);
    } finally {
      await other.module.close?.();
    }
  });
});
