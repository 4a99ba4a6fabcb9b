import { beforeEach, describe, expect, it } from 'vitest';
import { CallId } from '../../protocol/ids.ts';
import type { CallOutcome } from '../modules/chat/model.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

let ada: TestClient;
let ben: TestClient;
const callId = CallId.parse('0f7d4f3e-6f0a-4f52-9a58-2f4cbe4d2a11');

beforeEach(async () => {
  const relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
});

function end(client: TestClient, other: TestClient, outcome: CallOutcome) {
  const durationMs = outcome === 'answered' ? 1000 : null;
  return client.vault.endCall({ conversation: other.userId, callId, media: 'video', outcome, durationMs });
}

/** What the chat does once the server does not name the call any more. */
function settle(client: TestClient, other: TestClient) {
  return client.vault.settleCalls([{ conversation: other.userId, callId }]);
}

async function outcomes(client: TestClient, other: TestClient): Promise<unknown[]> {
  return (await client.messages(other)).map(({ body }) => (body.kind === 'call' ? body.outcome : body.kind));
}

async function announce(): Promise<void> {
  await ada.vault.enqueueCall({ conversation: ben.userId, callId, media: 'video' });
  await ada.flush();
}

describe('the entry of a call', () => {
  it('is there on both sides, ongoing, then with each side’s outcome', async () => {
    await announce();
    await ben.fetch();
    expect(await outcomes(ada, ben)).toEqual(['ongoing']);
    expect(await outcomes(ben, ada)).toEqual(['ongoing']);
    const call = { conversation: ada.userId, callId, media: 'video', mine: false };
    expect(await ben.vault.ongoingCalls()).toEqual({ calls: [call], next: null });
    expect((await ada.vault.ongoingCalls()).calls).toMatchObject([{ mine: true }]);
    await end(ada, ben, 'unanswered');
    await end(ben, ada, 'missed');
    expect(await outcomes(ada, ben)).toEqual(['unanswered']);
    expect(await outcomes(ben, ada)).toEqual(['missed']);
    expect(await ben.vault.ongoingCalls()).toEqual({ calls: [], next: null });
  });

  it('is announced once and merged with one that was made before the announcement came', async () => {
    await announce();
    await announce();
    await end(ben, ada, 'declined');
    await ben.fetch();
    expect(await outcomes(ada, ben)).toEqual(['ongoing']);
    expect(await outcomes(ben, ada)).toEqual(['declined']);
    expect((await ben.messages(ada))[0]?.order).toBe((await ada.messages(ben))[0]?.order);
  });

  it('is not made a missed one when more is known', async () => {
    await announce();
    await ben.fetch();
    await end(ben, ada, 'answered');
    await settle(ben, ada);
    expect(await outcomes(ben, ada)).toEqual(['answered']);
  });

  it('counts as unread while it is missed, and not once answered', async () => {
    await announce();
    await ben.fetch();
    await settle(ben, ada);
    expect((await ben.vault.conversations())[0]?.unread).toBe(1);
    const changes = await end(ben, ada, 'answered');
    expect(changes.conversations[0]?.unread).toBe(0);
  });

  it('is among the recent calls, newest first', async () => {
    await ada.write(ben, 'not a call');
    await announce();
    const second = CallId.parse('0f7d4f3e-6f0a-4f52-9a58-2f4cbe4d2a12');
    await ada.vault.enqueueCall({ conversation: ben.userId, callId: second, media: 'voice' });
    await ada.flush();
    const recent = await ada.vault.recentCalls(10);
    expect(recent.map(({ body }) => body.kind === 'call' && body.callId)).toEqual([second, callId]);
    expect(await ada.vault.recentCalls(1)).toHaveLength(1);
  });

  it('of another person under the same id is another call', async () => {
    await announce();
    await ben.fetch();
    const eve = await TestClient.signUp(ada.relay, 'eve');
    await eve.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
    await eve.flush();
    await ben.fetch();
    await end(ben, ada, 'answered');
    expect(await outcomes(ben, eve)).toEqual(['ongoing']);
  });
});
