import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import type { CallId } from '../../../protocol/ids.ts';
import { createSfu, type Sfu } from '../../sfu/sfu.ts';
import { RawParticipant } from '../../sfu/testing/raw-participant.ts';
import { rtpPacket } from '../../sfu/testing/rtp-packet.ts';
import { audioParameters, silentLog } from '../../sfu/testing/rtp-parameters.ts';
import { CallsHarness, newCallId, type TestClient } from './testing/calls-harness.ts';

/*
 * The media worker ends again and again while strangers flood its port and a participant of another call floods it with
 * keys of his own. Anna speaks and Ben hears her, over real lines; both do what a client does when it is `reconnecting`.
 */

const DEATHS = 3;
/** What people wait at most is 3 s; the machine of a test is shared. Milliseconds. */
const RECOVERY_MS = 6_000;
const STRANGERS = 3;

let sfu: Sfu;
let harness: CallsHarness;
let port: number;
const lines: RawParticipant[] = [];
const strangers: Socket[] = [];
const timers: NodeJS.Timeout[] = [];

beforeEach(async () => {
  sfu = await onFreePort();
  harness = new CallsHarness(sfu);
});
afterEach(async () => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const one of [...lines.splice(0), ...strangers.splice(0)]) one.close();
  await harness.module.close?.();
  await sfu.close();
});

/** Other tests run beside this one: a port that was free a moment ago may be taken. */
async function onFreePort(): Promise<Sfu> {
  for (let attempt = 1; ; attempt += 1) {
    port = await freePort();
    try {
      return await createSfu({ port, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
    } catch (error) {
      if (attempt === 5 || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port: free } = socket.address();
  socket.close();
  return free;
}

function every10Ms(run: () => void): void {
  timers.push(setInterval(run, 10));
}

/** Joins and sends sound of this many bytes a packet, `count` packets every 10 ms, until the next of these begins. */
async function speak(client: TestClient, callId: CallId, { count, length }: { count: number; length: number }) {
  const { sendTransport } = await client.request(wire.join, { callId, rtpCapabilities: sfu.rtpCapabilities });
  const transportId = sendTransport.id;
  const line = await RawParticipant.connect(sendTransport, async (dtlsParameters) => {
    await client.request(wire.connectTransport, { callId, transportId, dtlsParameters });
  });
  lines.push(line);
  const rtpParameters = audioParameters();
  await client.request(wire.produce, { callId, source: 'microphone', kind: 'audio', rtpParameters, paused: false });
  const ssrc = rtpParameters.encodings?.[0]?.ssrc ?? 0;
  const payload = Buffer.alloc(length, 1);
  let sequence = 0;
  every10Ms(() => {
    for (let n = 0; n < count; n += 1, sequence += 1) {
      line.sendRtp(...rtpPacket({ ssrc, sequence, payloadType: 111, payload }));
    }
  });
}

/** Joins and waits until sound has come. */
async function hear(client: TestClient, callId: CallId): Promise<void> {
  const answer = await client.request(wire.join, { callId, rtpCapabilities: sfu.rtpCapabilities });
  const { receiveTransport } = answer;
  const line = await RawParticipant.connect(receiveTransport, async (dtlsParameters) => {
    await client.request(wire.connectTransport, { callId, transportId: receiveTransport.id, dtlsParameters });
  });
  lines.push(line);
  const consumerId = answer.consumers[0]?.consumerId ?? '';
  await client.request(wire.setConsumer, { callId, consumerId, paused: false });
  await vi.waitFor(() => expect(line.sequences.size).toBeGreaterThan(0), { timeout: RECOVERY_MS, interval: 10 });
}

async function start(from: TestClient, to: TestClient): Promise<CallId> {
  const callId = newCallId();
  await from.request(wire.start, { callId, media: 'voice', invite: [to.userId] });
  return callId;
}

const statesSeenBy = (client: TestClient) =>
  client
    .heard(wire.updated)
    .at(-1)
    ?.call.participants.map(({ state }) => state);

it('the other calls are back in seconds each time, and none of them ends', { timeout: 60_000 }, async () => {
  const [anna, ben, mallory] = [harness.client(), harness.client(), harness.client()];
  const callId = await start(anna, ben);
  const voice = { count: 1, length: 80 };
  await speak(anna, callId, voice);
  await hear(ben, callId);
  for (let n = 0; n < STRANGERS; n += 1) {
    const socket = createSocket('udp4');
    strangers.push(socket);
    const garbage = Buffer.alloc(1_200, 0x80 + n);
    every10Ms(() => {
      for (let packet = 0; packet < 50; packet += 1) socket.send(garbage, port, '127.0.0.1');
    });
  }
  await speak(mallory, await start(mallory, harness.client()), { count: 50, length: 1_000 });

  for (let death = 0; death < DEATHS; death += 1) {
    const killedAt = performance.now();
    process.kill(sfu.pids[0]!, 'SIGKILL');
    const lost = () => expect(statesSeenBy(ben)).toEqual(['reconnecting', 'reconnecting']);
    await vi.waitFor(lost, { timeout: RECOVERY_MS, interval: 5 });
    await speak(anna, callId, voice);
    await hear(ben, callId);
    expect(performance.now() - killedAt).toBeLessThan(RECOVERY_MS);
    expect(statesSeenBy(ben)).toEqual(['joined', 'joined']);
  }
  expect(ben.heard(wire.ended)).toEqual([]);
});
