import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import type { Call, ConsumerOptions, Participant } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { CallId, DeviceId } from '../../../protocol/ids.ts';
import type { ResultOf } from '../../../protocol/method.ts';
import type { Host } from '../../host/host.ts';
import type { MediaDevicesPort } from '../../media/capture.ts';
import { LocalMedia } from '../../media/local-media.svelte.ts';
import { FakeDevices, FakeStream, type FakeTrack } from '../../media/testing/fake-devices.ts';
import { FakeEngine } from '../../media/testing/fake-engine.ts';
import type { ChatController } from '../chat/model.ts';
import type { ContactsController } from '../contacts/model.ts';
import { Calls } from './calls.svelte.ts';
import { ADA, BEN, CAI, call, CALL, participant, participantIdOf, personOf, uuid } from './testing/calls.ts';
import { FakeConnection } from './testing/fake-connection.ts';

let connection: FakeConnection;
let engine: FakeEngine;
let devices: FakeDevices;
let calls: Calls;
let ringing: number;
const chat = { callStarted: vi.fn(async () => {}), callEnded: vi.fn(async () => {}) };
const notify = vi.fn();

const TRANSPORT = {
  id: 't',
  iceParameters: { usernameFragment: 'abcd', password: 'a'.repeat(22) },
  iceCandidates: [],
  dtlsParameters: { fingerprints: [{ algorithm: 'sha-256', value: Array(32).fill('00').join(':') }] },
} satisfies wire.TransportOptions;
const flush = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('MediaStream', FakeStream);
  connection = new FakeConnection(ADA);
  engine = new FakeEngine();
  devices = new FakeDevices();
  ringing = 0;
  const tone = () => {
    ringing += 1;
    return () => {
      ringing -= 1;
    };
  };
  calls = new Calls({
    connection,
    engine,
    contacts: { person: personOf, ensure: async () => {} } as unknown as ContactsController,
    chat: chat as unknown as ChatController,
    host: { notify } as unknown as Host,
    local: new LocalMedia({ devices: devices as unknown as MediaDevicesPort, storage: null }),
    tones: { ring: tone, ringBack: tone },
  });
  serve();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

/** A server that lets Ada start and join; `join` gives the call as it is after the join. */
function serve(consumers: ConsumerOptions[] = []): void {
  let producers = 0;
  connection.answer(wire.start, ({ callId, media }) => ({
    call: call(1, [participant(ADA, 'reconnecting'), participant(BEN, 'ringing')], { callId, media }),
  }));
  connection.answer(wire.join, ({ callId }) => ({
    call: call(2, [participant(ADA, 'joined'), participant(BEN, callId === CALL ? 'joined' : 'ringing')], { callId }),
    participantId: participantIdOf(ADA),
    sendTransport: TRANSPORT,
    receiveTransport: TRANSPORT,
    consumers,
  }));
  connection.answer(wire.produce, () => ({ producerId: `producer-${(producers += 1)}` }));
}

const started = (): CallId => connection.paramsOf(wire.start)[0]!.callId;

async function tell(revision: number, people: readonly Participant[], more: Partial<Call> = {}): Promise<void> {
  await connection.emit(wire.updated, { call: call(revision, people, more) });
  await flush();
}

async function ring(revision = 1, more: Partial<Call> = {}): Promise<void> {
  const people = [participant(BEN, 'joined'), participant(ADA, 'ringing')];
  await connection.emit(wire.ringing, { call: call(revision, people, { startedBy: BEN, ...more }) });
  await flush();
}

async function startToBen(): Promise<CallId> {
  await calls.start(BEN, 'video');
  await flush();
  return started();
}

function consumer(consumerId: string, source: ConsumerOptions['source']): ConsumerOptions {
  const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
  return {
    consumerId,
    producerId: `p-${consumerId}`,
    participantId: participantIdOf(BEN),
    source,
    kind,
    rtpParameters: { codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }] },
    producerPaused: false,
  };
}

describe('calling somebody', () => {
  test('enters it in the chat, rings, joins at once and sends while it rings', async () => {
    const callId = await startToBen();
    expect(chat.callStarted).toHaveBeenCalledWith(BEN, callId, 'video');
    expect(calls.stage.kind).toBe('ringing-out');
    expect(ringing).toBe(1);
    expect(connection.paramsOf(wire.produce).map(({ source }) => source)).toEqual(['microphone', 'camera']);
  });

  test('while it rings, the camera is sent in its smallest layer', async () => {
    const callId = await startToBen();
    expect(engine.sessions[0]?.topLayers.get('producer-2')).toBe(0);
    await tell(3, [participant(ADA, 'joined'), participant(BEN, 'joined')], { callId });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(engine.sessions[0]?.topLayers.get('producer-2')).toBe(2);
  });

  test('so it is, too, when the call is described before the join is answered', async () => {
    connection.answer(wire.join, async ({ callId }) => {
      const joined = call(2, [participant(ADA, 'joined'), participant(BEN, 'ringing')], { callId });
      await connection.emit(wire.updated, { call: joined });
      return {
        call: joined,
        participantId: participantIdOf(ADA),
        sendTransport: TRANSPORT,
        receiveTransport: TRANSPORT,
        consumers: [],
      };
    });
    await startToBen();
    expect(engine.sessions[0]?.topLayers.get('producer-2')).toBe(0);
  });

  test('it goes on once two people are in it, not while it rings', async () => {
    const callId = await startToBen();
    expect([...calls.goingOn]).toEqual([]);
    await tell(3, [participant(ADA, 'joined'), participant(BEN, 'joined')], { callId });
    expect([...calls.goingOn]).toEqual([callId]);
    await connection.emit(wire.ended, { callId });
    expect([...calls.goingOn]).toEqual([]);
  });

  test('answered: the time runs from then, and the ringing stops', async () => {
    const callId = await startToBen();
    vi.setSystemTime(50_000);
    await tell(3, [participant(ADA, 'joined'), participant(BEN, 'joined')], { callId });
    expect(calls.stage).toEqual({ kind: 'joined', since: 50_000 });
    expect(ringing).toBe(0);
    vi.setSystemTime(80_000);
    await calls.leave();
    expect(chat.callEnded).toHaveBeenCalledWith(BEN, callId, 'video', 'answered', 30_000);
    expect(connection.paramsOf(wire.leave)).toEqual([{ callId }]);
    expect([calls.stage.kind, devices.live.length, engine.sessions[0]?.closed]).toEqual(['idle', 0, true]);
  });

  test.each([
    ['declined', 'declined', 'declined'],
    ['busy', 'unanswered', 'busy'],
    ['missed', 'unanswered', 'unanswered'],
  ] as const)('%s: the entry says %s and the notice %s', async (state, outcome, notice) => {
    const callId = await startToBen();
    await tell(3, [participant(ADA, 'joined'), participant(BEN, state)], { callId });
    await connection.emit(wire.ended, { callId });
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, callId, 'video', outcome, null);
    expect(calls.notice).toMatchObject({ kind: notice, name: 'Ben Okafor' });
    expect([calls.stage.kind, ringing, devices.live.length]).toEqual(['idle', 0, 0]);
  });

  test('a group that nobody joins is over', async () => {
    const callId = await startToBen();
    await tell(3, [participant(ADA, 'joined'), participant(BEN, 'declined'), participant(CAI, 'missed')], { callId });
    expect([calls.stage.kind, calls.notice?.kind]).toEqual(['idle', 'declined']);
  });

  test('hung up while it rings: cancelled, without a notice', async () => {
    const callId = await startToBen();
    await calls.leave();
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, callId, 'video', 'cancelled', null);
    expect(calls.notice).toBeNull();
  });

  test('hung up before the server has answered: the server still hears of it', async () => {
    let answer: (value: { call: Call }) => void = () => {};
    connection.answer(wire.start, () => new Promise((resolve) => (answer = resolve)));
    const starting = calls.start(BEN, 'voice');
    await flush();
    await calls.leave();
    const callId = started();
    answer({ call: call(1, [participant(ADA, 'reconnecting'), participant(BEN, 'ringing')], { callId }) });
    await starting;
    expect(connection.paramsOf(wire.leave)).toHaveLength(2);
    expect(connection.paramsOf(wire.join)).toEqual([]);
    expect(calls.stage.kind).toBe('idle');
  });

  test('without microphone and camera the call goes on and says why', async () => {
    devices.refuse = { audio: 'NotAllowedError', video: 'NotAllowedError' };
    await startToBen();
    expect([calls.stage.kind, calls.mediaProblem, calls.muted, calls.cameraOn]).toEqual([
      'ringing-out',
      'permission',
      true,
      false,
    ]);
  });

  test('offline: nothing is opened, nothing entered', async () => {
    connection.setState({ kind: 'offline', retryAt: null });
    await calls.start(BEN, 'video');
    expect([calls.stage.kind, calls.notice?.kind, devices.opened.length]).toEqual(['idle', 'offline', 0]);
    expect(chat.callStarted).not.toHaveBeenCalled();
  });

  test('refused by the server: the entry does not stay open', async () => {
    connection.answer(wire.start, () => {
      throw new ProtocolError('user_unknown', 'gone');
    });
    await calls.start(BEN, 'video');
    expect(chat.callEnded).toHaveBeenCalledOnce();
    expect([calls.stage.kind, calls.notice?.kind, devices.live.length]).toEqual(['idle', 'failed', 0]);
  });
});

describe('being called', () => {
  test('rings, and accepting joins with the media of the call', async () => {
    serve([consumer('c1', 'camera'), consumer('c2', 'microphone')]);
    await ring();
    expect(calls.incoming).toMatchObject({ callId: CALL, media: 'video', from: personOf(BEN), others: [] });
    expect(ringing).toBe(1);
    await calls.accept();
    await flush();
    expect([calls.incoming, ringing, calls.stage.kind]).toEqual([null, 0, 'joined']);
    expect(connection.paramsOf(wire.setConsumer).map(({ consumerId, paused }) => [consumerId, paused])).toEqual([
      ['c1', false],
      ['c2', false],
    ]);
    expect(calls.tiles[0]).toMatchObject({
      person: personOf(BEN),
      camera: expect.anything(),
      audio: expect.anything(),
    });
  });

  test('declined: the others hear it, the chat too', async () => {
    await ring();
    await calls.decline();
    expect(connection.paramsOf(wire.decline)).toEqual([{ callId: CALL, reason: 'declined' }]);
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'declined', null);
    await tell(2, [participant(BEN, 'joined'), participant(ADA, 'declined')], { startedBy: BEN });
    expect([calls.incoming, ringing]).toEqual([null, 0]);
    expect(chat.callEnded).toHaveBeenCalledOnce();
  });

  test('withdrawn by the caller: missed', async () => {
    await ring();
    await connection.emit(wire.ended, { callId: CALL });
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'missed', null);
    expect([calls.incoming, ringing]).toEqual([null, 0]);
  });

  test('answered on another device: stops ringing here, and was not missed', async () => {
    await ring();
    const elsewhere = participant(ADA, 'joined', { deviceId: DeviceId.parse(9) });
    await tell(2, [participant(BEN, 'joined'), elsewhere], { startedBy: BEN });
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'answered', null);
    expect(calls.incoming).toBeNull();
  });

  test('a late ring of a call that is over does not ring', async () => {
    await ring();
    await connection.emit(wire.ended, { callId: CALL });
    await ring(5);
    expect([calls.incoming, ringing]).toEqual([null, 0]);
  });

  test('a repeated ring of the call being joined does not ring', async () => {
    await ring();
    connection.answer(wire.join, () => new Promise(() => {}));
    void calls.accept();
    await ring(2);
    expect([calls.incoming, ringing, calls.stage.kind]).toEqual([null, 0, 'joining']);
  });

  test('never answered and never withdrawn: missed by one’s own clock', async () => {
    await ring();
    await vi.advanceTimersByTimeAsync(wire.RING_MS + 6_000);
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'missed', null);
    expect(ringing).toBe(0);
  });

  test('in a call already: busy, with an entry of the missed call', async () => {
    await ring();
    await calls.accept();
    const other = CallId.parse(uuid(200));
    await ring(1, {
      callId: other,
      startedBy: CAI,
      participants: [participant(CAI, 'joined'), participant(ADA, 'ringing')],
    });
    expect(connection.paramsOf(wire.decline)).toEqual([{ callId: other, reason: 'busy' }]);
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(CAI, other, 'video', 'missed', null);
    expect([calls.incoming, calls.stage.kind]).toEqual([null, 'joined']);
  });

  test('accepted too late: says that it ended', async () => {
    await ring();
    connection.answer(wire.join, () => {
      throw new ProtocolError('call_ended', 'over');
    });
    await calls.accept();
    expect([calls.stage.kind, calls.notice?.kind, devices.live.length]).toEqual(['idle', 'ended', 0]);
  });

  test('what rang while the line was down is found when it is back', async () => {
    const people = [participant(BEN, 'joined'), participant(ADA, 'ringing')];
    connection.answer(wire.active, () => ({ calls: [call(1, people, { startedBy: BEN })] }));
    await connection.resynchronise();
    expect(calls.incoming?.callId).toBe(CALL);
    connection.answer(wire.active, () => ({ calls: [] }));
    await connection.resynchronise();
    expect(calls.incoming).toBeNull();
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'missed', null);
  });
});

describe('two people who ring each other', () => {
  const low = CallId.parse(uuid(0));
  const high = CallId.parse('ffffffff-ffff-4fff-8fff-ffffffffffff');

  test('the one with the greater id takes the other’s call', async () => {
    const mine = await startToBen();
    await ring(1, { callId: low });
    await flush();
    expect(connection.paramsOf(wire.leave)).toEqual([{ callId: mine }]);
    expect(connection.paramsOf(wire.join).at(-1)?.callId).toBe(low);
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, mine, 'video', 'cancelled', null);
    expect(devices.live).not.toEqual([]);
  });

  test('the one with the smaller id stays, and declines nothing', async () => {
    const mine = await startToBen();
    await ring(1, { callId: high });
    expect(connection.paramsOf(wire.decline)).toEqual([]);
    expect(connection.paramsOf(wire.leave)).toEqual([]);
    expect([calls.incoming, calls.stage.kind]).toEqual([null, 'ringing-out']);
    await tell(3, [participant(ADA, 'joined'), participant(BEN, 'joined')], { callId: mine });
    expect(calls.stage.kind).toBe('joined');
  });

  test('a call that holds anybody else is not joined without asking', async () => {
    const mine = await startToBen();
    const people = [participant(BEN, 'joined'), participant(ADA, 'ringing'), participant(CAI, 'joined')];
    await connection.emit(wire.ringing, { call: call(1, people, { startedBy: BEN, callId: low }) });
    await flush();
    expect(connection.paramsOf(wire.join).map(({ callId }) => callId)).toEqual([mine]);
    expect(connection.paramsOf(wire.decline)).toEqual([{ callId: low, reason: 'busy' }]);
    expect(calls.stage.kind).toBe('ringing-out');
  });

  test('nor is one that anybody joins while the own call is being left', async () => {
    await startToBen();
    connection.answer(wire.leave, async () => {
      const people = [participant(BEN, 'joined'), participant(ADA, 'ringing'), participant(CAI, 'joined')];
      await connection.emit(wire.updated, { call: call(2, people, { startedBy: BEN, callId: low }) });
      return {};
    });
    await ring(1, { callId: low });
    await flush();
    expect(connection.paramsOf(wire.join).map(({ callId }) => callId)).not.toContain(low);
    expect([calls.stage.kind, calls.incoming?.callId]).toEqual(['idle', low]);
  });

  test('an answer to leaving that never comes is waited for a second, and no longer', async () => {
    const mine = await startToBen();
    connection.answer(wire.leave, () => new Promise(() => {}));
    await ring(1, { callId: low });
    await vi.advanceTimersByTimeAsync(900);
    expect(connection.paramsOf(wire.leave)).toEqual([{ callId: mine }]);
    expect(connection.paramsOf(wire.join).map(({ callId }) => callId)).not.toContain(low);
    await vi.advanceTimersByTimeAsync(200);
    expect(connection.paramsOf(wire.join).at(-1)?.callId).toBe(low);
    expect(devices.live).not.toEqual([]);
  });

  test('what the answer to leaving says after that joins nothing that rings again', async () => {
    await startToBen();
    let answer: (value: Record<string, never>) => void = () => {};
    connection.answer(wire.leave, () => new Promise((resolve) => (answer = resolve)));
    await ring(1, { callId: low });
    await vi.advanceTimersByTimeAsync(1100);
    connection.answer(wire.leave, () => ({}));
    await calls.leave();
    await ring(3, { callId: low });
    const joins = connection.paramsOf(wire.join).length;
    answer({});
    await flush();
    expect(connection.paramsOf(wire.join)).toHaveLength(joins);
    expect([calls.stage.kind, calls.incoming?.callId, devices.live]).toEqual(['idle', low, []]);
  });

  test('one that comes later rings', async () => {
    await startToBen();
    await vi.advanceTimersByTimeAsync(16_000);
    await ring(1, { callId: low });
    await flush();
    expect(connection.paramsOf(wire.join).map(({ callId }) => callId)).not.toContain(low);
    expect([calls.incoming?.callId, devices.live]).toEqual([low, []]);
  });

  test('whoever called by voice is not seen in the other’s video call', async () => {
    await calls.start(BEN, 'voice');
    await flush();
    await ring(1, { callId: low, media: 'video' });
    await flush();
    expect(connection.paramsOf(wire.join).at(-1)?.callId).toBe(low);
    expect(calls.cameraOn).toBe(false);
    expect(connection.paramsOf(wire.produce).map(({ source }) => source)).not.toContain('camera');
  });
});

describe('in a call', () => {
  beforeEach(async () => {
    serve([consumer('c1', 'camera')]);
    await ring();
    await calls.accept();
    await flush();
  });

  test('a late description changes nothing', async () => {
    await tell(5, [participant(BEN, 'joined', { live: ['microphone'] }), participant(ADA, 'joined')], {
      startedBy: BEN,
    });
    await tell(4, [participant(BEN, 'joined'), participant(ADA, 'joined')], { startedBy: BEN });
    expect(calls.tiles[0]?.muted).toBe(false);
  });

  test('muting holds the microphone back; camera off keeps its place but sends nothing', async () => {
    await calls.toggleMute();
    await calls.toggleCamera();
    await flush();
    expect(connection.paramsOf(wire.setProducer).map(({ producerId, state }) => [producerId, state])).toEqual([
      ['producer-1', 'paused'],
      ['producer-2', 'paused'],
    ]);
    expect(engine.sessions[0]?.sending.get('producer-2')).toBeNull();
    await calls.toggleCamera();
    await flush();
    expect(engine.sessions[0]?.sending.get('producer-2')).not.toBeNull();
    expect(connection.paramsOf(wire.setProducer).at(-1)).toMatchObject({ producerId: 'producer-2', state: 'live' });
  });

  test('a shared screen is a producer of its own, closed when it ends', async () => {
    await calls.toggleShare();
    await flush();
    expect(
      connection
        .paramsOf(wire.produce)
        .map(({ source }) => source)
        .slice(-2),
    ).toEqual(['screen', 'screen-audio']);
    await calls.toggleShare();
    await flush();
    expect(connection.paramsOf(wire.setProducer).map(({ state }) => state)).toEqual(['closed', 'closed']);
  });

  test('the layers follow the size shown, in steps; what is not shown is not sent', async () => {
    calls.show(BEN, 'camera', { width: 200, height: 112 });
    calls.show(BEN, 'camera', { width: 320, height: 180 });
    await vi.advanceTimersByTimeAsync(200);
    // The same layer does for this one, so nothing is asked.
    calls.show(BEN, 'camera', { width: 330, height: 186 });
    await vi.advanceTimersByTimeAsync(200);
    calls.show(BEN, 'camera', null);
    await vi.advanceTimersByTimeAsync(200);
    expect(connection.paramsOf(wire.setConsumer).slice(1)).toMatchObject([
      { consumerId: 'c1', paused: false, preferredLayers: { spatialLayer: 0 } },
      { consumerId: 'c1', paused: true },
    ]);
  });

  test('consumers come, pause and go', async () => {
    await connection.emit(wire.consumerAdded, { callId: CALL, consumer: consumer('c3', 'screen') });
    await flush();
    expect(calls.tiles[0]?.screen).not.toBeNull();
    await connection.emit(wire.consumerPaused, { callId: CALL, consumerId: 'c1', paused: true });
    expect(calls.tiles[0]?.camera).toBeNull();
    await connection.emit(wire.consumerPaused, { callId: CALL, consumerId: 'c1', paused: false });
    expect(calls.tiles[0]?.camera).not.toBeNull();
    await connection.emit(wire.consumerRemoved, { callId: CALL, consumerId: 'c3' });
    expect(calls.tiles[0]?.screen).toBeNull();
    expect(engine.sessions[0]?.closedConsumers).toEqual(['c3']);
  });

  test('an event of another call is none of this one’s', async () => {
    await connection.emit(wire.consumerAdded, { callId: CallId.parse(uuid(200)), consumer: consumer('c9', 'screen') });
    await flush();
    expect(engine.sessions[0]?.consumed).toEqual(['c1']);
  });

  test('who speaks', async () => {
    await tell(5, [participant(BEN, 'joined', { live: ['microphone'] }), participant(ADA, 'joined')], {
      startedBy: BEN,
    });
    await connection.emit(wire.activeSpeaker, { callId: CALL, participantId: participantIdOf(BEN) });
    expect(calls.tiles.map(({ speaking }) => speaking)).toEqual([true, false]);
  });

  test('people are added', async () => {
    connection.answer(wire.invite, ({ callId }) => ({
      call: call(6, [participant(BEN, 'joined'), participant(ADA, 'joined'), participant(CAI, 'ringing')], {
        callId,
        startedBy: BEN,
      }),
    }));
    await calls.invite([CAI]);
    expect(calls.tiles.map(({ person, state }) => [person.userId, state])).toEqual([
      [BEN, 'joined'],
      [CAI, 'ringing'],
      [ADA, 'joined'],
    ]);
  });

  test('a small machine leaves the full size out while there is a third', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    const two = [participant(BEN, 'joined'), participant(ADA, 'joined')];
    await tell(5, [...two, participant(CAI, 'joined')], { startedBy: BEN });
    expect(engine.sessions[0]?.topLayers.get('producer-2')).toBe(1);
    await tell(6, [...two, participant(CAI, 'left')], { startedBy: BEN });
    expect(engine.sessions[0]?.topLayers.get('producer-2')).toBe(1);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(engine.sessions[0]?.topLayers.get('producer-2')).toBe(2);
  });

  test('the other leaves: over, quietly', async () => {
    vi.setSystemTime(Date.now() + 5_000);
    await tell(5, [participant(BEN, 'left'), participant(ADA, 'joined')], { startedBy: BEN });
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'answered', 5_000);
    expect([calls.stage.kind, calls.notice]).toEqual(['idle', null]);
  });

  test('in a group, the last one there may wait for the others to come back', async () => {
    const all = (state: 'joined' | 'left') => [
      participant(BEN, state),
      participant(CAI, state),
      participant(ADA, 'joined'),
    ];
    await tell(5, all('joined'), { startedBy: BEN });
    await tell(6, all('left'), { startedBy: BEN });
    expect(calls.stage.kind).toBe('joined');
    expect(calls.tiles.map(({ self }) => self)).toEqual([true]);
    await calls.leave();
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'answered', expect.any(Number));
  });

  test('taken over by another device of one’s own', async () => {
    const elsewhere = participant(ADA, 'joined', { deviceId: DeviceId.parse(9) });
    await tell(5, [participant(BEN, 'joined'), elsewhere], { startedBy: BEN });
    expect([calls.stage.kind, calls.notice?.kind]).toEqual(['idle', 'moved']);
    expect(connection.paramsOf(wire.leave)).toEqual([]);
  });

  test('left, and the others go on: one may come back', async () => {
    await calls.leave();
    const people = [participant(BEN, 'joined'), participant(CAI, 'joined'), participant(ADA, 'left')];
    await tell(9, people, { startedBy: BEN });
    expect(calls.rejoinable).toMatchObject([{ callId: CALL, from: personOf(BEN), others: [personOf(CAI)] }]);
    await calls.rejoin(CALL);
    expect([calls.stage.kind, calls.rejoinable]).toEqual(['joined', []]);
  });

  test('signing out ends it', () => {
    connection.welcome = { ...connection.welcome!, account: null, deviceId: null };
    connection.setState({ kind: 'online' });
    expect([calls.stage.kind, devices.live.length]).toEqual(['idle', 0]);
  });
});

describe('a line that drops', () => {
  let microphone: FakeTrack | undefined;

  beforeEach(async () => {
    serve([consumer('c1', 'camera')]);
    await ring();
    await calls.accept();
    await flush();
    microphone = devices.live[0];
    connection.setState({ kind: 'offline', retryAt: null });
  });

  test('comes back into the call by itself, with the very same tracks', async () => {
    expect(calls.stage.kind).toBe('reconnecting');
    expect(engine.sessions[0]?.closed).toBe(false);
    connection.setState({ kind: 'online' });
    await flush();
    expect(calls.stage.kind).toBe('joined');
    expect([engine.sessions.length, engine.sessions[0]?.closed]).toEqual([2, true]);
    expect([...(engine.sessions[1]?.sending.values() ?? [])]).toContain(microphone);
    expect(devices.opened).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2 * wire.REJOIN_MS);
    expect(calls.stage.kind).toBe('joined');
    expect(chat.callEnded).not.toHaveBeenCalled();
  });

  test('one’s own camera can be turned off meanwhile, and stays so', async () => {
    await calls.toggleCamera();
    connection.setState({ kind: 'online' });
    await flush();
    expect(
      connection
        .paramsOf(wire.produce)
        .slice(2)
        .map(({ source }) => source),
    ).toEqual(['microphone']);
  });

  test('told of oneself as reconnecting by events from before, it does not join twice', async () => {
    let answer: (() => void) | undefined;
    connection.answer(wire.join, async ({ callId }) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return {
        call: call(7, [participant(ADA, 'joined'), participant(BEN, 'joined')], { callId, startedBy: BEN }),
        participantId: participantIdOf(ADA),
        sendTransport: TRANSPORT,
        receiveTransport: TRANSPORT,
        consumers: [],
      };
    });
    connection.setState({ kind: 'online' });
    await tell(6, [participant(BEN, 'joined'), participant(ADA, 'reconnecting')], { startedBy: BEN });
    answer?.();
    await flush();
    await tell(6, [participant(BEN, 'joined'), participant(ADA, 'reconnecting')], { startedBy: BEN });
    expect(connection.paramsOf(wire.join)).toHaveLength(2);
    expect(calls.stage.kind).toBe('joined');
  });

  test('the call ended meanwhile, as with a server that was started anew: it is told, not only gone', async () => {
    connection.answer(wire.join, () => {
      throw new ProtocolError('call_unknown', 'gone');
    });
    connection.setState({ kind: 'online' });
    await flush();
    expect([calls.stage.kind, calls.notice?.kind]).toEqual(['idle', 'lost']);
    expect(chat.callEnded).toHaveBeenCalledExactlyOnceWith(BEN, CALL, 'video', 'answered', expect.any(Number));
  });

  test('the server knows of no call before the join is answered: told as well', async () => {
    connection.answer(wire.join, () => new Promise(() => {}));
    connection.answer(wire.active, () => ({ calls: [] }));
    connection.setState({ kind: 'online' });
    await connection.resynchronise();
    await flush();
    expect([calls.stage.kind, calls.notice?.kind]).toEqual(['idle', 'lost']);
  });

  test('joined again, the others hang up later: that is no loss', async () => {
    connection.setState({ kind: 'online' });
    await flush();
    await connection.emit(wire.ended, { callId: CALL });
    expect([calls.stage.kind, calls.notice]).toEqual(['idle', null]);
  });

  test('too long: given up, and every device released', async () => {
    await vi.advanceTimersByTimeAsync(wire.REJOIN_MS + 6_000);
    expect([calls.stage.kind, calls.notice?.kind, devices.live.length]).toEqual(['idle', 'lost', 0]);
  });

  test('drops again while joining again: the answer to the earlier join is not used', async () => {
    let late: (answer: ResultOf<typeof wire.join>) => void = () => {};
    connection.answer(wire.join, () => new Promise((resolve) => (late = resolve)));
    connection.setState({ kind: 'online' });
    await flush();
    connection.setState({ kind: 'offline', retryAt: null });
    serve();
    connection.setState({ kind: 'online' });
    await flush();
    expect([calls.stage.kind, engine.sessions.length]).toEqual(['joined', 2]);
    const people = [participant(ADA, 'joined'), participant(BEN, 'joined')];
    const transports = { sendTransport: TRANSPORT, receiveTransport: TRANSPORT };
    late({ call: call(2, people), participantId: participantIdOf(ADA), ...transports, consumers: [] });
    await flush();
    expect([calls.stage.kind, engine.sessions.length, engine.sessions[1]?.closed]).toEqual(['joined', 2, false]);
  });
});

describe('media that is lost on a working line', () => {
  beforeEach(async () => {
    await ring();
    await calls.accept();
    await flush();
  });

  test('the media server lost this participant: joins again', async () => {
    await tell(3, [participant(BEN, 'reconnecting'), participant(ADA, 'reconnecting')], { startedBy: BEN });
    expect(connection.paramsOf(wire.join)).toHaveLength(2);
    expect(calls.stage.kind).toBe('joined');
  });

  test('every so often, for as long as the call lasts: joins again at once each time', async () => {
    for (let losses = 1; losses <= 50; losses += 1) {
      const people = [participant(BEN, 'joined'), participant(ADA, 'reconnecting')];
      await tell(2 + losses, people, { startedBy: BEN });
      expect(calls.stage.kind).toBe('joined');
      await vi.advanceTimersByTimeAsync(12_000);
    }
    expect(connection.paramsOf(wire.join)).toHaveLength(51);
  });

  test('ICE that fails after it has worked joins again at once each time', async () => {
    for (let losses = 1; losses <= 50; losses += 1) {
      engine.sessions.at(-1)?.options.onFlowing();
      await vi.advanceTimersByTimeAsync(6_000);
      engine.sessions.at(-1)?.options.onLost();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(calls.stage.kind).toBe('joined');
    }
  });

  test('ICE that never works joins again less and less often, and the call stays', async () => {
    for (let losses = 1; losses <= 50; losses += 1) {
      await vi.advanceTimersByTimeAsync(20_000);
      engine.sessions.at(-1)?.options.onLost();
      await flush();
    }
    expect(calls.stage.kind).toBe('media-down');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(calls.stage.kind).toBe('joined');
    expect(engine.sessions.filter(({ closed }) => !closed)).toHaveLength(1);
  });

  describe('and the server has no media', () => {
    const refuse = (code: 'unavailable' | 'media_rejected' = 'unavailable') =>
      connection.answer(wire.join, () => {
        throw new ProtocolError(code, 'the media server is restarting');
      });
    const lose = () => tell(3, [participant(BEN, 'joined'), participant(ADA, 'reconnecting')], { startedBy: BEN });
    const joins = () => connection.paramsOf(wire.join).length;

    test.each(['unavailable', 'media_rejected'] as const)('for a moment (%s): it comes back', async (code) => {
      refuse(code);
      await lose();
      expect(calls.stage.kind).toBe('reconnecting');
      serve();
      await vi.advanceTimersByTimeAsync(500);
      expect(calls.stage.kind).toBe('joined');
    });

    test('for long: it is said, the call stays, and attempts go on at a bounded rate', async () => {
      refuse();
      await lose();
      await vi.advanceTimersByTimeAsync(10_000);
      expect([calls.stage.kind, calls.notice]).toEqual(['media-down', null]);
      const before = joins();
      await vi.advanceTimersByTimeAsync(600_000);
      expect(joins() - before).toBeLessThanOrEqual(120);
      expect(joins() - before).toBeGreaterThanOrEqual(600_000 / wire.REJOIN_MS);
      serve();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(calls.stage.kind).toBe('joined');
      expect(chat.callEnded).not.toHaveBeenCalled();
    });

    test('the person tries again at once', async () => {
      refuse();
      await lose();
      await vi.advanceTimersByTimeAsync(60_000);
      serve();
      calls.retryMedia();
      await flush();
      expect(calls.stage.kind).toBe('joined');
      const before = joins();
      calls.retryMedia();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(joins()).toBe(before);
    });

    test('who leaves meanwhile is out, and nothing is tried any more', async () => {
      refuse();
      await lose();
      await vi.advanceTimersByTimeAsync(60_000);
      const before = joins();
      await calls.leave();
      await vi.advanceTimersByTimeAsync(60_000);
      expect([calls.stage.kind, joins()]).toEqual(['idle', before]);
    });

    test('and then the line drops: the clock of a lost line counts from there', async () => {
      refuse();
      await lose();
      await vi.advanceTimersByTimeAsync(60_000);
      connection.setState({ kind: 'offline', retryAt: null });
      await vi.advanceTimersByTimeAsync(wire.REJOIN_MS);
      expect(calls.stage.kind).not.toBe('idle');
      await vi.advanceTimersByTimeAsync(6_000);
      expect([calls.stage.kind, calls.notice?.kind]).toEqual(['idle', 'lost']);
    });
  });
});

test('the code of calls is fetched once, when there is time', async () => {
  connection.setState({ kind: 'offline', retryAt: null });
  connection.setState({ kind: 'online' });
  expect(engine.prefetched).toBe(0);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(engine.prefetched).toBe(1);
});

test('a hidden window is told by a notification', () => {
  calls.notifyIncoming({ title: 'Ben Okafor', body: 'Video call' });
  expect(notify).toHaveBeenCalledWith(expect.objectContaining({ title: 'Ben Okafor', body: 'Video call' }));
});
