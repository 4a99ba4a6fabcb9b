import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { MAX_ACTIVE_CALLS, MAX_MEMBERS, MAX_PARTICIPANTS, RING_MS } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { MAX_FRAME_BYTES } from '../../../protocol/frames.ts';
import { LATEST_TIME, type CallId } from '../../../protocol/ids.ts';
import type { DtlsParameters, RtpParameters } from '../../../protocol/media.ts';
import { createSfu, type Sfu } from '../../sfu/sfu.ts';
import { audioParameters, dtlsParameters, silentLog, videoParameters } from '../../sfu/testing/rtp-parameters.ts';
import { LIMITS } from './limits.ts';
import { CallsHarness, newCallId, type TestClient } from './testing/calls-harness.ts';

/** A participant or a colleague with a valid session and a client of their own. */
let sfu: Sfu;
let harness: CallsHarness;
let mallory: TestClient;
let bob: TestClient;

beforeAll(async () => {
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
});
afterAll(() => sfu.close());
beforeEach(() => {
  harness = new CallsHarness(sfu);
  [mallory, bob] = [harness.client(), harness.client()];
});
afterEach(() => harness.module.close?.());

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
  await from.request(wire.start, { callId, media: 'voice', invite: others.map(({ userId }) => userId) });
  return callId;
}
const join = (client: TestClient, callId: CallId) =>
  client.request(wire.join, { callId, rtpCapabilities: sfu.rtpCapabilities });
const people = (count: number) => Array.from({ length: count }, () => harness.client());
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('what a participant writes into media parameters', () => {
  const LINE = 'x\r\na=candidate:1 1 udp 2122260223 203.0.113.9 9 typ host';
  const audio = audioParameters();
  const [codec] = audio.codecs;
  const withCodec = (more: object) => ({ ...audio, codecs: [{ ...codec!, ...more }] }) as RtpParameters;
  const attacks: [string, RtpParameters][] = [
    ['fmtp value', withCodec({ parameters: { useinbandfec: LINE } })],
    ['fmtp name', withCodec({ parameters: { [LINE]: 1 } })],
    ['fmtp value with another parameter', withCodec({ parameters: { useinbandfec: '1;stereo=1' } })],
    ['codec', withCodec({ mimeType: `audio/opus${LINE}` })],
    ['feedback type', withCodec({ rtcpFeedback: [{ type: LINE }] })],
    ['feedback parameter', withCodec({ rtcpFeedback: [{ type: 'nack', parameter: LINE }] })],
    ['cname', { ...audio, rtcp: { cname: LINE } }],
    ['msid', { ...audio, msid: LINE }],
    ['mid', { ...audio, mid: 'a\r\nb=AS:1' }],
    ['rid', { ...audio, encodings: [{ rid: 'a\r\nb=AS:1' }] }],
    ['extension', { ...audio, headerExtensions: [{ uri: LINE, id: 4 }] }],
    ['control character', { ...audio, rtcp: { cname: 'a\u0000b' } }],
  ];

  it.each(attacks)('does not break a line of SDP at the others: %s', async (_name, rtpParameters) => {
    const callId = await start(mallory, bob);
    await join(mallory, callId);
    await join(bob, callId);
    const sent = mallory.request(wire.produce, {
      callId,
      source: 'microphone',
      kind: 'audio',
      rtpParameters,
      paused: false,
    });
    expect(['invalid_request', 'media_rejected']).toContain(await code(sent));
    expect(bob.heard(wire.consumerAdded)).toEqual([]);
  });

  it('is made anew: unknown parameters and the names of streams stay behind', async () => {
    const callId = await start(mallory, bob);
    await join(mallory, callId);
    const rtpParameters = {
      ...withCodec({
        parameters: { useinbandfec: 1, 'x-anything': 'beacon' },
        rtcpFeedback: [{ type: 'transport-cc' }, { type: 'beacon' }],
      }),
      rtcp: { cname: 'beacon' },
      msid: 'beacon beacon',
      headerExtensions: [{ uri: 'urn:beacon', id: 9 }],
      beacon: 'beacon',
    };
    await mallory.request(wire.produce, { callId, source: 'microphone', kind: 'audio', rtpParameters, paused: false });
    const { consumers } = await join(bob, callId);
    expect(consumers).toHaveLength(1);
    expect(JSON.stringify(consumers)).not.toContain('beacon');
  });

  it('is bounded: fingerprints in hex, few codecs, few layers', async () => {
    const callId = await start(mallory, bob);
    const { sendTransport } = await join(mallory, callId);
    const [fingerprint] = dtlsParameters().fingerprints;
    const connect = (dtls: DtlsParameters) =>
      code(mallory.request(wire.connectTransport, { callId, transportId: sendTransport.id, dtlsParameters: dtls }));
    const value = `${fingerprint!.value}\r\na=x`;
    expect(await connect({ fingerprints: [{ ...fingerprint!, value }] })).toBe('invalid_request');
    expect(await connect({ fingerprints: Array.from({ length: 1000 }, () => fingerprint!) })).toBe('invalid_request');
    const produce = (more: Partial<RtpParameters>) =>
      code(
        mallory.request(wire.produce, {
          callId,
          source: 'camera',
          kind: 'video',
          rtpParameters: { ...videoParameters(), ...more },
          paused: false,
        }),
      );
    const encodings = Array.from({ length: 1000 }, (_, ssrc) => ({ ssrc }));
    expect(await produce({ encodings })).toBe('invalid_request');
    expect(await produce({ codecs: Array.from({ length: 1000 }, () => codec!) })).toBe('invalid_request');
  });

  it('leaves room: the fullest call fits into the answer of a join', async () => {
    const others = people(MAX_PARTICIPANTS - 1);
    const callId = await start(others[0]!, ...others.slice(1), bob);
    const longest = (parameters: RtpParameters): RtpParameters => ({
      ...parameters,
      rtcp: { cname: 'c'.repeat(64) },
      codecs: parameters.codecs.map((one) => ({
        ...one,
        parameters: {
          ...one.parameters,
          maxaveragebitrate: 9_999_999,
          maxplaybackrate: 9_999_999,
          'sprop-maxcapturerate': 9_999_999,
          'x-google-start-bitrate': 9_999_999,
          'x-google-min-bitrate': 9_999_999,
          'x-google-max-bitrate': 9_999_999,
        },
      })),
    });
    for (const other of others) {
      await join(other, callId);
      for (const source of wire.Source.options) {
        const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
        const { mid: _, ...parameters } = longest(kind === 'video' ? videoParameters() : audioParameters());
        const unique =
          kind === 'video'
            ? {
                ...parameters,
                encodings: [{ ssrc: others.indexOf(other) * 100 + wire.Source.options.indexOf(source) + 1 }],
              }
            : parameters;
        await other.request(wire.produce, { callId, source, kind, rtpParameters: unique, paused: false });
      }
    }
    const answer = await join(bob, callId);
    expect(answer.consumers).toHaveLength((MAX_PARTICIPANTS - 1) * wire.Source.options.length);
    expect(bytes(answer)).toBeLessThan(MAX_FRAME_BYTES / 2);
  });
});

describe('a colleague who calls and calls', () => {
  it('is in few calls at once', async () => {
    for (let n = 0; n < LIMITS.callsPerAccount.value; n += 1) await start(mallory, harness.client());
    expect(await code(start(mallory, harness.client()))).toBe('too_many_calls');
    const callId = await start(bob, mallory);
    expect(await code(join(mallory, callId))).toBe('too_many_calls');
    // Another is not affected.
    expect(await code(start(harness.client(), harness.client()))).toBe('none');
  });

  it('is in few calls also where all joins are under way at once', async () => {
    const most = LIMITS.callsPerAccount.value;
    const callIds: CallId[] = [];
    for (let n = 0; n < most * 2; n += 1) callIds.push(await start(harness.client(), mallory, harness.client()));
    const codes = await Promise.all(callIds.map((callId) => code(join(mallory, callId))));
    expect(codes.filter((one) => one === 'none')).toHaveLength(most);
    expect(codes.filter((one) => one === 'too_many_calls')).toHaveLength(most);
    // A place that was not taken, or given back, is free again.
    await mallory.request(wire.leave, { callId: callIds[codes.indexOf('none')]! });
    expect(await code(join(mallory, callIds[codes.indexOf('too_many_calls')]!))).toBe('none');
  });

  it('rings another in few calls at once', async () => {
    for (let n = 0; n < LIMITS.ringingPerPair.value; n += 1) await start(mallory, bob);
    expect(await code(start(mallory, bob))).toBe('rung_too_often');
  });

  it('cannot let a telephone ring on and on, alone or with others in the call, until an hour is over', async () => {
    const ring = async () => {
      const callId = newCallId();
      const refused = await code(mallory.request(wire.start, { callId, media: 'voice', invite: [bob.userId] }));
      if (refused === 'none') await mallory.request(wire.leave, { callId });
      return refused;
    };
    for (let n = 0; n < LIMITS.ringsPerPairAndHour.value; n += 1) expect(await ring()).toBe('none');
    expect(await ring()).toBe('rung_too_often');
    const callId = await start(mallory, harness.client());
    await join(mallory, callId);
    expect(await code(mallory.request(wire.invite, { callId, users: [bob.userId] }))).toBe('rung_too_often');
    expect(bob.heard(wire.ringing)).toHaveLength(LIMITS.ringsPerPairAndHour.value);
    await mallory.request(wire.leave, { callId });
    harness.clock.advance(3_600_000);
    expect(await ring()).toBe('none');
  });

  it('may call as often as they are answered', async () => {
    for (let n = 0; n < 2 * LIMITS.ringsPerPairAndHour.value; n += 1) {
      const callId = await start(mallory, bob);
      await join(bob, callId);
      await mallory.request(wire.leave, { callId });
    }
  });

  it('finds a person busy for whom many calls ring, and that person stays reachable afterwards', async () => {
    const callers = people(LIMITS.ringingPerInvitee.value + 1);
    for (const caller of callers) await start(caller, bob);
    expect(bob.heard(wire.ringing)).toHaveLength(LIMITS.ringingPerInvitee.value);
    const last = callers.at(-1)!;
    expect(last.heard(wire.updated).at(-1)?.call.participants[1]?.state).toBe('busy');
    expect(last.heard(wire.ended)).toHaveLength(1);
    harness.clock.advance(RING_MS);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await start(harness.client(), bob);
    expect(bob.heard(wire.ringing)).toHaveLength(LIMITS.ringingPerInvitee.value + 1);
  });

  it('does not take another offline: the calls of an account fit a frame at their fullest', async () => {
    const id = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
    const participants = Array.from({ length: MAX_MEMBERS }, () => ({
      participantId: id,
      userId: id,
      deviceId: 0x7fffffff,
      state: 'reconnecting',
      live: wire.Source.options,
    }));
    const fullest = wire.Call.parse({
      callId: id,
      media: 'video',
      startedBy: id,
      startedAt: LATEST_TIME,
      revision: Number.MAX_SAFE_INTEGER,
      participants,
    });
    expect(bytes({ calls: Array.from({ length: MAX_ACTIVE_CALLS }, () => fullest) })).toBeLessThan(MAX_FRAME_BYTES / 2);

    const callers = people(MAX_ACTIVE_CALLS + 4);
    for (const caller of callers) {
      const callId = await start(caller, bob, harness.client());
      await bob.request(wire.decline, { callId, reason: 'busy' });
    }
    const wanted = await start(harness.client(), bob);
    const { calls } = await bob.request(wire.active, {});
    expect(calls).toHaveLength(MAX_ACTIVE_CALLS);
    expect(calls[0]?.callId).toBe(wanted);
  });

  it('is forgotten by who has declined', async () => {
    const callId = await start(mallory, bob, harness.client());
    await bob.request(wire.decline, { callId, reason: 'declined' });
    expect((await bob.request(wire.active, {})).calls).toEqual([]);
  });
});
