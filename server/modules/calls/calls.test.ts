import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { MAX_PARTICIPANTS, REJOIN_MS, RING_MS } from '../../../protocol/calls.ts';
import { METHODS } from '../../../protocol/contract.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { RtpCapabilities } from '../../../protocol/media.ts';
import { createSfu, type Sfu } from '../../sfu/sfu.ts';
import { audioParameters, dtlsParameters, silentLog, videoParameters } from '../../sfu/testing/rtp-parameters.ts';
import { MEMORY_MS } from './call-registry.ts';
import { CallsHarness, newCallId, type TestClient } from './testing/calls-harness.ts';

let sfu: Sfu;
let harness: CallsHarness;
let alice: TestClient;
let bob: TestClient;
let carol: TestClient;

beforeAll(async () => {
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
});
afterAll(() => sfu.close());

beforeEach(() => {
  harness = new CallsHarness(sfu);
  [alice, bob, carol] = [harness.client(), harness.client(), harness.client()];
});
afterEach(async () => {
  await harness.module.close?.();
  // Whatever a test did, the media server holds nothing of it afterwards.
  await vi.waitFor(async () => expect(await sfu.dump()).toEqual({ routers: 0, transports: 0 }));
});

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

async function start(from: TestClient, ...others: TestClient[]): Promise<CallId> {
  const callId = newCallId();
  await from.request(wire.start, { callId, media: 'video', invite: others.map(({ userId }) => userId) });
  return callId;
}

const join = (client: TestClient, callId: CallId) =>
  client.request(wire.join, { callId, rtpCapabilities: sfu.rtpCapabilities });

const speak = (client: TestClient, callId: CallId, paused = false) =>
  client.request(wire.produce, {
    callId,
    source: 'microphone',
    kind: 'audio',
    rtpParameters: audioParameters(),
    paused,
  });

const film = (client: TestClient, callId: CallId) =>
  client.request(wire.produce, {
    callId,
    source: 'camera',
    kind: 'video',
    rtpParameters: videoParameters(),
    paused: false,
  });

/** A call that all these people have joined. */
async function meeting(...people: [TestClient, ...TestClient[]]): Promise<CallId> {
  const [first, ...others] = people;
  const callId = await start(first, ...others);
  for (const person of people) await join(person, callId);
  return callId;
}

function latest(client: TestClient): wire.Call {
  const call = client.heard(wire.updated).at(-1)?.call;
  if (call === undefined) throw new Error('no update');
  return call;
}

const stateOf = (call: wire.Call, { userId }: { userId: UserId }) =>
  call.participants.find((participant) => participant.userId === userId)?.state;
const liveOf = (call: wire.Call, { userId }: { userId: UserId }) =>
  call.participants.find((participant) => participant.userId === userId)?.live;

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
    await settled();
    expect(alice.heard(wire.ended)).toEqual([]);
    harness.clock.advance(1);
    await settled();
    expect(stateOf(latest(bob), bob)).toBe('missed');
    expect(bob.heard(wire.ended)).toEqual([{ callId }]);
  });

  it('remembers an ended call for a while, then not', async () => {
    const callId = await start(alice, bob);
    await alice.request(wire.leave, { callId });
    expect(await code(join(bob, callId))).toBe('call_ended');
    harness.clock.advance(MEMORY_MS);
    expect(await code(join(bob, callId))).toBe('call_unknown');
  });
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

describe('a connection that ends', () => {
  it('gives back all it held; the person may return for a while', async () => {
    const callId = await meeting(alice, bob);
    await speak(alice, callId);
    await speak(bob, callId);
    bob.disconnect();
    await settled();
    expect(await sfu.dump()).toEqual({ routers: 1, transports: 2 });
    expect(alice.heard(wire.consumerRemoved)).toHaveLength(1);
    expect(latest(alice).participants[1]).toMatchObject({ state: 'reconnecting', deviceId: bob.deviceId, live: [] });

    const again = bob.reconnected();
    expect((await again.request(wire.active, {})).calls.map((call) => stateOf(call, bob))).toEqual(['reconnecting']);
    harness.clock.advance(REJOIN_MS - 1);
    const { consumers } = await join(again, callId);
    expect(consumers.map(({ source }) => source)).toEqual(['microphone']);
    harness.clock.advance(REJOIN_MS + RING_MS);
    await settled();
    expect(stateOf(latest(alice), bob)).toBe('joined');
  });

  it('is given up after the rejoin time', async () => {
    const callId = await meeting(alice, bob);
    bob.disconnect();
    await settled();
    harness.clock.advance(REJOIN_MS);
    await settled();
    expect(stateOf(latest(alice), bob)).toBe('left');
    expect(alice.heard(wire.ended)).toEqual([{ callId }]);
  });

  it('that was replaced takes nothing with it', async () => {
    const callId = await meeting(alice, bob);
    const again = bob.reconnected();
    await join(again, callId);
    bob.disconnect();
    await settled();
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
      await settled();
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
      await settled();
      expect(latest(anna).participants.map(({ state }) => state)).toEqual(['reconnecting', 'reconnecting', 'left']);
      other.clock.advance(REJOIN_MS);
      await settled();
      expect(anna.heard(wire.ended)).toEqual([{ callId }]);
    } finally {
      await other.module.close?.();
    }
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

/** Until what was queued by a timer or a closed connection is done; none of it waits for more than the worker. */
async function settled(): Promise<void> {
  await sfu.dump();
  await sleep(5);
}
