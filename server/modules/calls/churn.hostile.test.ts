import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { MAX_PARTICIPANTS } from '../../../protocol/calls.ts';
import type { CallId } from '../../../protocol/ids.ts';
import { createSfu, type Sfu } from '../../sfu/sfu.ts';
import { audioParameters, silentLog, videoParameters } from '../../sfu/testing/rtp-parameters.ts';
import { CallsHarness, newCallId, type TestClient } from './testing/calls-harness.ts';

/*
 * A participant who joins, sends, stops and leaves as often as the limits of a minute allow, all at once: the others of
 * the fullest call, and those of another on the same media worker, go on. Quiet and attack take turns, so that a busy
 * machine is as busy in both; a machine that is very busy gets more turns.
 */

const TURNS = 6;
const TURN_MS = 600;
const EVERY_MS = 25;
/** What the others' median may at most become. */
const FACTOR = 2;
/** One join into the fullest call takes that long on a slow machine, and nobody notices it. Milliseconds. */
const GRAIN_MS = 20;
/** What `calls.join`, `calls.produce` and `calls.leave` allow in a minute. */
const A_MINUTE = 60;

let sfu: Sfu;
let harness: CallsHarness;

beforeEach(async () => {
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
  harness = new CallsHarness(sfu);
});
afterEach(async () => {
  await harness.module.close?.();
  await sfu.close();
});

async function meeting(people: readonly TestClient[]): Promise<CallId> {
  const [first, ...others] = people;
  const callId = newCallId();
  await first!.request(wire.start, { callId, media: 'video', invite: others.map(({ userId }) => userId) });
  for (const person of people) await join(person, callId);
  return callId;
}

const join = (client: TestClient, callId: CallId) =>
  client.request(wire.join, { callId, rtpCapabilities: sfu.rtpCapabilities });

async function produce(client: TestClient, callId: CallId, source: wire.Source): Promise<string> {
  const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
  const rtpParameters = kind === 'video' ? videoParameters() : audioParameters();
  return (await client.request(wire.produce, { callId, source, kind, rtpParameters, paused: false })).producerId;
}

/** One request each time, whether the one before is answered or not, until `until`. Milliseconds. */
async function medianOf(mute: (paused: boolean) => Promise<unknown>, until: Promise<unknown>): Promise<number> {
  let over = false;
  const ended = until.then(() => {
    over = true;
  });
  const times: Promise<number>[] = [];
  while (!over) {
    const started = performance.now();
    times.push(mute(times.length % 2 === 0).then(() => performance.now() - started));
    await sleep(EVERY_MS);
  }
  await ended;
  return (await Promise.all(times)).toSorted((x, y) => x - y)[Math.floor(times.length / 2)] ?? 0;
}

it.each(['in the same call', 'in another call'])('keeps nobody waiting %s', { timeout: 60_000 }, async (where) => {
  const full = Array.from({ length: MAX_PARTICIPANTS }, () => harness.client());
  const [ada, mallory] = [full[0]!, full.at(-1)!];
  const attacked = await meeting(full);
  for (const person of full.slice(0, -1)) {
    for (const source of wire.Source.options) await produce(person, attacked, source);
  }
  const asking = where === 'in the same call' ? ada : harness.client();
  const callId = asking === ada ? attacked : await meeting([asking, harness.client()]);
  const producerId = await produce(asking, callId, 'microphone');
  const mute = (paused: boolean) =>
    asking.request(wire.setProducer, { callId, producerId, state: paused ? 'paused' : 'live' });
  const churn = () =>
    Array.from({ length: A_MINUTE }, () => [
      join(mallory, attacked),
      produce(mallory, attacked, 'camera'),
      mallory.request(wire.leave, { callId: attacked }),
    ]).flat();

  const medians: { quiet: number; attacked: number }[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const quiet = await medianOf(mute, sleep(TURN_MS));
    const underAttack = await medianOf(mute, Promise.all(churn()));
    medians.push({ quiet, attacked: underAttack });
    if (turn > 0 && underAttack <= Math.max(quiet * FACTOR, GRAIN_MS)) return;
  }
  expect.fail(`medians in milliseconds: ${JSON.stringify(medians)}`);
});
