import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CallId, UserId } from '../../protocol/ids.ts';
import type { CallOutcome, Message } from '../modules/chat/model.ts';
import { LIMITS } from './limits.ts';
import { Sealer } from './sealer.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

const HOURLY = LIMITS.unannouncedInAnHour.value;
const KEPT = LIMITS.unannouncedCalls.value;
const HOUR = 3_600_000;

let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  const relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
});

function newCall(): CallId {
  return CallId.parse(crypto.randomUUID());
}

/** The server makes up that somebody rang; nothing of it comes by the encrypted way. */
function ring(from: UserId = ada.userId, outcome: CallOutcome = 'missed', callId = newCall()) {
  return ben.vault.endCall({ conversation: from, callId, media: 'voice', outcome, durationMs: null });
}

async function allCalls(): Promise<readonly Message[]> {
  return ben.vault.recentCalls(10_000);
}

/** Ada announces so many calls; Ben has them. */
async function announce(count: number): Promise<CallId[]> {
  const calls = Array.from({ length: count }, newCall);
  for (const callId of calls) {
    await ada.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await ada.flush();
    ben.time += 1;
    await ben.fetch();
  }
  return calls;
}

describe('calls that a server makes up', () => {
  it('leave few entries of one person within an hour, and some more in the next', async () => {
    for (let i = 0; i < 3 * HOURLY; i += 1) await ring();
    expect(await allCalls()).toHaveLength(HOURLY);
    expect((await ben.vault.conversations())[0]?.unread).toBe(HOURLY);
    ben.time += HOUR;
    await ring();
    expect(await allCalls()).toHaveLength(HOURLY + 1);
  });

  it('never leave more than a bounded number, whoever they are said to be of and however they end', async () => {
    const answered = newCall();
    await ring(ada.userId, 'answered', answered);
    for (let i = 0; i < KEPT + 30; i += 1) {
      ben.time += 60_000;
      const stranger = UserId.parse(crypto.randomUUID());
      await ring(stranger, i % 2 === 0 ? 'missed' : 'declined');
    }
    expect(await allCalls()).toHaveLength(KEPT);
    const conversations = await ben.vault.conversations();
    expect(conversations.filter(({ last }) => last !== null)).toHaveLength(KEPT);
    await ben.restart();
    expect(await ben.vault.conversations()).toHaveLength(KEPT);
    const unread = (await ben.vault.conversations()).reduce((sum, summary) => sum + summary.unread, 0);
    expect(unread).toBe(KEPT / 2);
  });

  it('leave nothing unread of the entries that had to go', async () => {
    for (let i = 0; i < KEPT + 30; i += 1) {
      ben.time += HOUR;
      await ring();
    }
    expect((await ben.vault.conversations())[0]?.unread).toBe(KEPT);
    await ben.restart();
    expect((await ben.vault.conversations())[0]?.unread).toBe(KEPT);
  });

  it('cost no entry of a call that was announced', async () => {
    const [callId] = await announce(1);
    await ring(ada.userId, 'missed', callId);
    for (let i = 0; i < KEPT + 5; i += 1) await ring(ada.userId, 'declined');
    const calls = await allCalls();
    expect(calls).toHaveLength(KEPT + 1);
    expect(calls.map(({ body }) => body.kind === 'call' && body.callId)).toContain(callId);
  });

  it('do not keep one that is announced late from being shown', async () => {
    for (let i = 0; i < 2 * HOURLY; i += 1) await ring();
    await announce(1);
    expect(await allCalls()).toHaveLength(HOURLY + 1);
    expect((await ben.vault.ongoingCalls()).calls).toHaveLength(1);
  });

  it('become ordinary entries once they are announced', async () => {
    const callId = newCall();
    await ring(ada.userId, 'missed', callId);
    await ada.vault.enqueueCall({ conversation: ben.userId, callId, media: 'video' });
    await ada.flush();
    await ben.fetch();
    for (let i = 0; i < KEPT + 5; i += 1) await ring(ada.userId, 'declined');
    const entries = (await ben.messages(ada)).map(({ body }) => body);
    expect(entries).toContainEqual({ kind: 'call', callId, media: 'video', outcome: 'missed', durationMs: null });
    expect(entries).toHaveLength(KEPT + 1);
  });

  it('cost no entry of a call that this person took part in', async () => {
    const [callId, other] = [newCall(), newCall()];
    await ring(ada.userId, 'declined', other);
    for (const taken of [callId, other]) {
      const end = { conversation: ada.userId, callId: taken, media: 'voice', durationMs: 5000 } as const;
      await ben.vault.endCall({ ...end, outcome: 'answered' });
    }
    for (let i = 0; i < KEPT + 5; i += 1) await ring(ada.userId, 'declined');
    const taken = (await allCalls()).flatMap(({ body }) =>
      body.kind === 'call' && body.durationMs ? [body.callId] : [],
    );
    expect(taken.sort()).toEqual([callId, other].sort());
    expect(await allCalls()).toHaveLength(KEPT + 2);
  });

  it('are confirmed to nobody', async () => {
    await ring();
    await ben.vault.markRead(ada.userId);
    expect(await ben.vault.collectReceipts()).toBe(false);
    expect(await ben.vault.outbox()).toEqual([]);
  });
});

describe('calls that a colleague announces without end', () => {
  const turn = LIMITS.callsInATurn.value;

  it('are read and settled in turns', async () => {
    const calls = await announce(turn + 3);
    const seen: CallId[] = [];
    let after: string | null = null;
    const sizes: number[] = [];
    do {
      const some = await ben.vault.ongoingCalls(after);
      sizes.push(some.calls.length);
      seen.push(...some.calls.map(({ callId }) => callId));
      await ben.vault.settleCalls(some.calls);
      after = some.next;
    } while (after !== null);
    expect(sizes).toEqual([turn, 3]);
    expect(seen.sort()).toEqual(calls.sort());
    expect((await ben.vault.ongoingCalls()).calls).toEqual([]);
    const outcomes = (await allCalls()).map(({ body }) => body.kind === 'call' && body.outcome);
    expect(new Set(outcomes)).toEqual(new Set(['missed']));
  });

  it('cost the list of calls no more than what it shows', async () => {
    await announce(30);
    const open = vi.spyOn(Sealer.prototype, 'open');
    const calls = await ben.vault.recentCalls(10);
    expect(open).toHaveBeenCalledTimes(10);
    open.mockRestore();
    const newest = (await ben.messages(ada)).toReversed().slice(0, 10);
    expect(calls.map(({ messageId }) => messageId)).toEqual(newest.map(({ messageId }) => messageId));
  });
});
