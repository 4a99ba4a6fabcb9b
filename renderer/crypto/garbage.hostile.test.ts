import { WhisperMessage } from '@privacyresearch/libsignal-protocol-protobuf-ts';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { concat, randomBytes, toBase64 } from '../../crypto/bytes.ts';
import { SkipBudget } from '../../crypto/sessions/skip-budget.ts';
import type { Envelope } from '../../protocol/chat.ts';
import { MessageId } from '../../protocol/ids.ts';
import { LIMITS } from './limits.ts';
import { SkipAllowances } from './skip-allowances.ts';
import { Relay } from './testing/relay.ts';
import { TestClient } from './testing/test-client.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let nextQueueId = 1000;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  await ada.write(ben, 'hello');
  await ben.fetch();
});

/** What looks like a message of a new chain, and names the counters that cost the receiver most. */
function garbage(counters = { counter: 1000, previousCounter: 1000 }): Envelope {
  const message = WhisperMessage.encode({
    ephemeralKey: concat(Uint8Array.of(5), randomBytes(32)),
    ...counters,
    ciphertext: randomBytes(80),
  }).finish();
  return {
    queueId: (nextQueueId += 1),
    messageId: MessageId.parse(crypto.randomUUID()),
    sender: ada.address,
    position: ben.time * 1000 + nextQueueId,
    payload: toBase64(randomBytes(300)),
    key: { type: 'message', body: toBase64(concat(Uint8Array.of(0x33), message, randomBytes(8))) },
  };
}

/** Ada's device has begun so many sessions that Ben keeps one and ten replaced ones. */
async function manySessions(): Promise<void> {
  for (let i = 0; i < 11; i += 1) {
    await ada.vault.startSessions(relay.takeBundles([ben.address]));
    await ada.write(ben, `session ${i}`);
    await ben.fetch();
  }
}

describe('200 envelopes of garbage on eleven sessions', () => {
  it('cost a bounded number of keys, and leave the vault to others meanwhile', async () => {
    await manySessions();
    const charge = vi.spyOn(SkipAllowances.prototype, 'charge');
    // Half of it names the counters that cost most, half those that are within what every session allows.
    const flood = Array.from({ length: 200 }, (_, i) =>
      i % 2 === 0 ? garbage() : garbage({ counter: 40, previousCounter: 0 }),
    );
    let done = 0;
    let most = 0;
    for (let rest = flood; rest.length > 0;) {
      const receiving = ben.vault.receive({ envelopes: rest.slice(0, 20), listsChecked: [] });
      const reading = ben.vault.messages({ conversation: ada.userId, before: null, limit: 50 });
      const { acknowledge } = await receiving;
      await reading;
      done += acknowledge.length;
      most = Math.max(most, acknowledge.length);
      rest = rest.filter(({ queueId }) => !acknowledge.includes(queueId));
    }
    const keys = charge.mock.calls.map(([, budget]) => budget.spent);
    charge.mockRestore();
    expect(done).toBe(flood.length);
    expect(most).toBeLessThanOrEqual(LIMITS.refusalsInATurn.value);
    expect(Math.max(...keys)).toBeLessThanOrEqual(2100);
    expect(keys.reduce((sum, spent) => sum + spent, 0)).toBeLessThanOrEqual(4000 + 200 * 150);
    // All are recorded, none is tried again, and Ada is still understood.
    await ada.write(ben, 'still here');
    await ben.fetch();
    const texts = await ben.texts(ada);
    expect(texts.filter((text) => text === '(unreadable)')).toHaveLength(flood.length);
    expect(texts).toContain('still here');
  });
});

describe('a genuine message after many that were lost', () => {
  it('is read, and so is one more, however much garbage came before from others', async () => {
    const eve = await TestClient.signUp(relay, 'eve');
    await eve.write(ben, 'hello');
    await ben.fetch();
    await ben.write(eve, 'hello');
    await eve.fetch();
    await ben.receive(Array.from({ length: 10 }, () => garbage()));
    for (let lost = 0; lost < 600; lost += 1) await eve.enqueue(ben, `lost ${lost}`);
    await eve.flush();
    relay.queue(ben.address).splice(0);
    await eve.write(ben, 'after the loss');
    await ben.fetch();
    expect((await ben.texts(eve)).at(-1)).toBe('after the loss');
  });
});

describe('the allowance of a sending device', () => {
  const spend = (keys: number) => {
    const budget = new SkipBudget();
    budget.in('current')(keys);
    return budget;
  };

  it('is used up by what it costs, comes back with time, and never falls below what is merely out of order', () => {
    const allowances = new SkipAllowances();
    const most = () => {
      const take = allowances.budgetOf('ada.1', now).in('current');
      for (let keys = LIMITS.skippedKeysAlways.value; ; keys += 1) {
        try {
          take(1);
        } catch {
          return keys - LIMITS.skippedKeysAlways.value;
        }
      }
    };
    let now = 1_790_000_000_000;
    expect(most()).toBe(2000);
    allowances.charge('ada.1', spend(2000), now);
    expect(most()).toBe(2000);
    allowances.charge('ada.1', spend(2000), now);
    expect(most()).toBe(LIMITS.skippedKeysAlways.value);
    now -= 3_600_000;
    expect(most()).toBe(LIMITS.skippedKeysAlways.value);
    now += 3_600_000 + 50_000;
    expect(most()).toBe(1000);
    expect(allowances.budgetOf('eve.1', now).in('current')).not.toThrow();
  });

  it('in replaced sessions is small, and shared by all of them', () => {
    const budget = new SkipBudget();
    expect(() => budget.in('replaced')(51)).toThrow();
    budget.in('replaced')(50);
    budget.in('replaced')(50);
    expect(() => budget.in('replaced')(1)).toThrow();
    expect(() => budget.in('current')(2000)).not.toThrow();
    expect(() => budget.in('current')(2001)).toThrow();
    expect(budget.spent).toBe(2100);
  });
});
