import { LIMITS } from './limits.ts';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { query } from '../../protocol/method.ts';
import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';
import { createMetrics } from '../http/metrics.ts';
import { createLog } from '../log.ts';
import { Budget } from './budget.ts';
import type { Connection } from './connection.ts';
import { Dispatcher } from './dispatcher.ts';
import { register } from './method.ts';
import { RateLimits } from './rate-limits.ts';
import { Replay } from './replay.ts';

const much = query('test.much', { bytes: z.int() }, z.strictObject({ text: z.string() }));

function setUp(log: string[] = []) {
  const handler = register(much, {
    permission: 'anyone',
    limit: { requests: 100, seconds: 1, by: 'account' },
    handle: async ({ bytes }) => ({ text: '\u4e00'.repeat(bytes / 3) }),
  });
  const payers: unknown[] = [];
  const dispatcher = new Dispatcher({
    methods: [handler],
    hello: null as never,
    onBehalfOf: (payer, work) => {
      payers.push(payer);
      return work();
    },
    limits: new RateLimits(1),
    replay: new Replay(),
    observer: createMetrics(),
    log: createLog('error', { write: (line) => void log.push(line) }),
  });
  const sent: unknown[] = [];
  const connection = {
    id: 'c',
    caller: { connectionId: 'c', session: null },
    budget: new Budget(1, performance.now()),
    payer: { work: () => undefined },
    inFlight: 0,
    faults: 0,
    refusals: 0,
    isGreeting: () => false,
    terminate: vi.fn<() => void>(),
    send: (text: string) => void sent.push(JSON.parse(text)),
    pauseFor: () => undefined,
  } as unknown as Connection;
  const ask = (frame: unknown) =>
    new Promise<void>((settled) => dispatcher.receive(connection, Buffer.from(JSON.stringify(frame)), false, settled));
  return { ask, sent, connection, payers };
}

it('refuses the one request whose answer is too long for a frame, in bytes and not in characters', async () => {
  const log: string[] = [];
  const { ask, sent } = setUp(log);
  await ask({ id: 1, method: 'test.much', params: { bytes: MAX_FRAME_BYTES } });
  await ask({ id: 2, method: 'test.much', params: { bytes: MAX_FRAME_BYTES - 100 } });
  expect(sent[0]).toMatchObject({ id: 1, error: { code: 'answer_too_large' } });
  expect(sent[1]).toMatchObject({ id: 2, result: {} });
  expect(log.join('')).toContain('test.much');
});

it('does not read what is over the budget of time', async () => {
  const { ask, sent, connection } = setUp();
  connection.budget.work(60_000, performance.now());
  await ask({ id: 3, method: 'test.much', params: { bytes: 3 } });
  expect(sent[0]).toMatchObject({ id: 3, error: { code: 'rate_limited' } });
  const { details } = (sent[0] as { error: { details: { retryAfterMs: number } } }).error;
  expect(details.retryAfterMs).toBeGreaterThan(1000);
  // However much was used up, the wait has an end.
  expect(details.retryAfterMs).toBeLessThanOrEqual(LIMITS.longestWorkWaitMs.value + 1);
});

it('leaves unread what comes from somebody who goes on above a limit of requests', async () => {
  const { ask, sent, connection } = setUp();
  const pauseFor = vi.fn<(ms: number) => void>();
  Object.assign(connection, { pauseFor, caller: { ...connection.caller, session: { userId: 'u' } } });
  const most = LIMITS.workBurstMs.value / LIMITS.refusalMs.value;
  // Refusing takes no measurable time here, and whoever is refused does not wait.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  for (let i = 0; i < 100 + most; i++) await ask({ id: 4, method: 'test.much', params: { bytes: 3 } });
  expect(pauseFor).not.toHaveBeenCalled();
  for (let i = 0; i < 2; i++) await ask({ id: 5, method: 'test.much', params: { bytes: 3 } });
  vi.restoreAllMocks();
  expect(pauseFor).toHaveBeenCalled();
  expect(sent.at(-1)).toMatchObject({ id: 5, error: { code: 'rate_limited' } });
});

it('cuts off a stranger who goes on above the budget, and not somebody with a session', async () => {
  const { ask, sent, connection } = setUp();
  connection.budget.work(60_000, performance.now());
  const flood = async () => {
    for (let i = 0; i < LIMITS.strangerRefusals.value; i++)
      await ask({ id: 4, method: 'test.much', params: { bytes: 3 } });
  };
  const { caller } = connection;
  Object.assign(connection, { caller: { ...caller, session: { userId: 'u' } } });
  await flood();
  expect(connection.terminate).not.toHaveBeenCalled();
  Object.assign(connection, { caller });
  await flood();
  expect(connection.terminate).toHaveBeenCalledOnce();
  expect(sent).toHaveLength(2 * LIMITS.strangerRefusals.value - 1);
});

it('asks the database on behalf of whoever asks', async () => {
  const { ask, connection, payers } = setUp();
  await ask({ id: 1, method: 'test.much', params: { bytes: 3 } });
  expect(payers).toEqual([connection.payer]);
});
