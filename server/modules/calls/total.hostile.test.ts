import { afterAll, beforeAll, it, vi } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import type { CallId } from '../../../protocol/ids.ts';
import { createSfu, type Sfu } from '../../sfu/sfu.ts';
import { silentLog } from '../../sfu/testing/rtp-parameters.ts';
import { refusal } from '../../testing/expect-code.ts';
import type { LIMITS as Limits } from './limits.ts';
import { CallsHarness, newCallId } from './testing/calls-harness.ts';

/* Colleagues who start calls, each no more than an account may: all together fill the server no further than it bears. */

const MOST = 4;

// Two thousand rooms are too many for a test.
vi.mock('./limits.ts', async (original) => {
  const { LIMITS } = await original<{ LIMITS: typeof Limits }>();
  return { LIMITS: { ...LIMITS, callsInTotal: { ...LIMITS.callsInTotal, value: 4 } } };
});

let sfu: Sfu;
beforeAll(async () => {
  sfu = await createSfu({ port: 0, listenIp: '127.0.0.1', workers: 1, logger: silentLog });
});
afterAll(() => sfu.close());

it('there are only so many calls at once, and another one when one of them has ended', async () => {
  const harness = new CallsHarness(sfu);
  const start = async (): Promise<{ callId: CallId; end: () => Promise<unknown> }> => {
    const [from, to] = [harness.client(), harness.client()];
    const callId = newCallId();
    await from.request(wire.start, { callId, media: 'voice', invite: [to.userId] });
    return { callId, end: () => to.request(wire.decline, { callId, reason: 'declined' }) };
  };
  const calls = [];
  for (let at = 0; at < MOST; at++) calls.push(await start());
  await refusal('unavailable', start());
  await calls[0]?.end();
  await start();
  await refusal('unavailable', start());
  await harness.module.close?.();
});
