import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { createSfu, type Sfu } from '../../sfu/sfu.ts';
import { RawParticipant } from '../../sfu/testing/raw-participant.ts';
import { rtpPacket } from '../../sfu/testing/rtp-packet.ts';
import { audioParameters, silentLog } from '../../sfu/testing/rtp-parameters.ts';
import { LIMITS } from './limits.ts';
import { CallsHarness, newCallId } from './testing/calls-harness.ts';

/** A participant who floods the media server, as the others in the call see it. */
let sfu: Sfu;
let harness: CallsHarness;
let attacker: RawParticipant | undefined;

beforeAll(async () => {
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
});
afterAll(() => sfu.close());
beforeEach(() => {
  harness = new CallsHarness(sfu);
});
afterEach(async () => {
  attacker?.close();
  await harness.module.close?.();
});

it('has left, and has no calls for a while; the others go on', async () => {
  const [mallory, bob, carol] = [harness.client(), harness.client(), harness.client()];
  const join = (client: typeof bob, callId: Awaited<ReturnType<typeof newCallId>>) =>
    client.request(wire.join, { callId, rtpCapabilities: sfu.rtpCapabilities });
  const callId = newCallId();
  await mallory.request(wire.start, { callId, media: 'voice', invite: [bob.userId, carol.userId] });
  const { sendTransport } = await join(mallory, callId);
  await join(bob, callId);
  await join(carol, callId);
  const transportId = sendTransport.id;
  attacker = await RawParticipant.connect(sendTransport, async (dtlsParameters) => {
    await mallory.request(wire.connectTransport, { callId, transportId, dtlsParameters });
  });
  const rtpParameters = audioParameters();
  await mallory.request(wire.produce, { callId, source: 'microphone', kind: 'audio', rtpParameters, paused: false });
  const payload = Buffer.alloc(1_000, 1);
  const ssrc = rtpParameters.encodings?.[0]?.ssrc ?? 0;
  let sequence = 0;
  const flood = setInterval(() => {
    for (let n = 0; n < 50; n += 1, sequence += 1) {
      attacker?.sendRtp(...rtpPacket({ ssrc, sequence, payloadType: 111, payload }));
    }
  }, 10);
  const states = () =>
    bob
      .heard(wire.updated)
      .at(-1)
      ?.call.participants.map(({ state }) => state);
  try {
    await vi.waitFor(() => expect(states()).toEqual(['left', 'joined', 'joined']), 10_000);
  } finally {
    clearInterval(flood);
  }
  expect(carol.heard(wire.consumerRemoved)).toHaveLength(1);
  const again = { callId, rtpCapabilities: sfu.rtpCapabilities };
  await expect(mallory.request(wire.join, again)).rejects.toMatchObject({ code: 'rate_limited' });
  // On another device as on this.
  await expect(mallory.otherDevice().request(wire.join, again)).rejects.toMatchObject({ code: 'rate_limited' });
  const another = { callId: newCallId(), media: 'voice', invite: [bob.userId] } as const;
  const start = { ...another, invite: [...another.invite] };
  await expect(mallory.request(wire.start, start)).rejects.toMatchObject({
    code: 'rate_limited',
    details: { retryAfterMs: LIMITS.floodPause.value },
  });
  expect(states()).toEqual(['left', 'joined', 'joined']);
  harness.clock.advance(LIMITS.floodPause.value);
  await join(mallory, callId);
});
