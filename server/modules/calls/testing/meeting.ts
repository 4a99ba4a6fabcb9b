import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import * as wire from '../../../../protocol/calls.ts';
import { ProtocolError } from '../../../../protocol/errors.ts';
import type { CallId, UserId } from '../../../../protocol/ids.ts';
import { createSfu, type Sfu } from '../../../sfu/sfu.ts';
import { audioParameters, silentLog, videoParameters } from '../../../sfu/testing/rtp-parameters.ts';
import { CallsHarness, newCallId, type TestClient } from './calls-harness.ts';

/** What a test of calls begins with. */
export interface Calls {
  readonly sfu: Sfu;
  readonly harness: CallsHarness;
  readonly alice: TestClient;
  readonly bob: TestClient;
  readonly carol: TestClient;
}

/** A media server for the file and new calls on it for each test, which `begin` is given. */
export function eachWithCalls(begin: (calls: Calls) => void): void {
  let sfu: Sfu;
  let harness: CallsHarness;
  beforeAll(async () => {
    sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  });
  afterAll(() => sfu.close());
  beforeEach(() => {
    harness = new CallsHarness(sfu);
    begin({ sfu, harness, alice: harness.client(), bob: harness.client(), carol: harness.client() });
  });
  afterEach(async () => {
    await harness.module.close?.();
    // Whatever a test did, the media server holds nothing of it afterwards.
    await vi.waitFor(async () => expect(await sfu.dump()).toEqual({ routers: 0, transports: 0 }));
  });
}

/** The code of the refusal; 'none' if it was answered. */
export async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

export async function start(from: TestClient, ...others: TestClient[]): Promise<CallId> {
  const callId = newCallId();
  await from.request(wire.start, { callId, media: 'video', invite: others.map(({ userId }) => userId) });
  return callId;
}

export const join = (client: TestClient, callId: CallId) =>
  client.request(wire.join, { callId, rtpCapabilities: client.sfu.rtpCapabilities });

export const speak = (client: TestClient, callId: CallId, paused = false) =>
  client.request(wire.produce, {
    callId,
    source: 'microphone',
    kind: 'audio',
    rtpParameters: audioParameters(),
    paused,
  });

export const film = (client: TestClient, callId: CallId) =>
  client.request(wire.produce, {
    callId,
    source: 'camera',
    kind: 'video',
    rtpParameters: videoParameters(),
    paused: false,
  });

/** A call that all these people have joined. */
export async function meeting(...people: [TestClient, ...TestClient[]]): Promise<CallId> {
  const [first, ...others] = people;
  const callId = await start(first, ...others);
  for (const person of people) await join(person, callId);
  return callId;
}

/** The call as this client was last told of it. */
export function latest(client: TestClient): wire.Call {
  const call = client.heard(wire.updated).at(-1)?.call;
  if (call === undefined) throw new Error('no update');
  return call;
}

export const stateOf = (call: wire.Call, { userId }: { userId: UserId }) =>
  call.participants.find((participant) => participant.userId === userId)?.state;
export const liveOf = (call: wire.Call, { userId }: { userId: UserId }) =>
  call.participants.find((participant) => participant.userId === userId)?.live;

/** Until what was queued by a timer or a closed connection is done; none of it waits for more than the worker. */
export async function settled({ sfu }: TestClient): Promise<void> {
  await sfu.dump();
  await sleep(5);
}
