import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Envelope } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { DeviceId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { Vault } from '../../crypto/vault.ts';
import { OfflineError } from '../../net/connection.ts';
import type { Connection } from '../../net/connection.ts';
import { Inbox, UnknownSender } from './inbox.ts';
import { LIMITS } from './limits.ts';

/* What cannot be taken in yet waits on the server, and keeps nobody else's waiting. */

const ADA = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001');
const BEN = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002');
const CAT = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a003');

function envelope(queueId: number, userId: UserId): Envelope {
  return {
    queueId,
    messageId: MessageId.parse(crypto.randomUUID()),
    sender: { userId, deviceId: DeviceId.parse(1) },
    position: queueId,
    payload: '',
    key: { type: 'message', body: '' },
  };
}

/** A server with a queue, an inbox, and a vault that knows Ada and has to ask for the lists of others, or holds theirs. */
class Setup {
  queue: Envelope[] = [];
  readonly received: number[] = [];
  readonly faults: unknown[] = [];
  fetched = 0;
  /** Why no list can be had. */
  failure: Error | null = null;
  holds = false;
  drops = 0;
  readonly #known = new Set([ADA]);
  readonly inbox: Inbox;

  constructor() {
    const request = (method: { name: string }, params: { after: number; limit: number; queueIds: number[] }) => {
      if (method.name === 'chat.acknowledge') {
        this.queue = this.queue.filter(({ queueId }) => !params.queueIds.includes(queueId));
        return Promise.resolve({});
      }
      const left = this.queue.filter(({ queueId }) => queueId > params.after);
      return Promise.resolve({ envelopes: left.slice(0, params.limit), more: left.length > params.limit });
    };
    const fetch = (users: readonly UserId[]) => {
      this.fetched += 1;
      if (this.failure !== null) return Promise.reject(this.failure);
      for (const userId of users) this.#known.add(userId);
      return Promise.resolve();
    };
    this.inbox = new Inbox({
      connection: { state: { kind: 'online' }, request } as unknown as Connection,
      vault: { receive: (input) => Promise.resolve(this.#receive(input.envelopes)) } as Partial<Vault> as Vault,
      lists: { fetch } as unknown as ConstructorParameters<typeof Inbox>[0]['lists'],
      received: () => undefined,
      report: (error) => void this.faults.push(error),
    });
  }

  #receive(envelopes: readonly Envelope[]): Awaited<ReturnType<Vault['receive']>> {
    const lacks = ({ sender }: Envelope) => !this.#known.has(sender.userId);
    const lacking = envelopes.filter(lacks).map(({ sender }) => sender.userId);
    const at = this.holds ? -1 : envelopes.findIndex(lacks);
    const taken = at < 0 ? envelopes.filter((one) => !lacks(one)) : envelopes.slice(0, at);
    const acknowledge = taken.map(({ queueId }) => queueId);
    this.received.push(...acknowledge);
    const changes = { messages: [], removed: [], conversations: [] };
    const held = this.holds ? lacking : [];
    const needLists = at < 0 ? null : lacking.slice(0, 1);
    return { acknowledge, refused: [], costly: [], held, dropped: this.drops, arrived: [], needLists, changes };
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('whose list cannot be had waits, in order, and everybody else goes on', async () => {
  const setup = new Setup();
  setup.failure = new ProtocolError('rate_limited', 'too many', { retryAfterMs: 1000 });
  setup.queue = [envelope(1, BEN), envelope(2, ADA), envelope(3, BEN), envelope(4, ADA)];
  await setup.inbox.drain();
  setup.queue.push(envelope(5, BEN));
  setup.inbox.add(setup.queue.at(-1)!);
  await setup.inbox.work();
  expect(setup.received).toEqual([2, 4]);
  expect(setup.fetched).toBe(1);
  setup.failure = null;
  await vi.advanceTimersByTimeAsync(LIMITS.listsAgainMs.value - 1);
  expect(setup.received).toEqual([2, 4]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(setup.received).toEqual([2, 4, 1, 3, 5]);
  expect(setup.queue).toEqual([]);
});

test('who has to wait later than another is read later, and not forgotten', async () => {
  const setup = new Setup();
  setup.failure = new ProtocolError('rate_limited', 'too many', { retryAfterMs: 1000 });
  setup.queue = [envelope(1, CAT)];
  await setup.inbox.drain();
  await vi.advanceTimersByTimeAsync(LIMITS.listsAgainMs.value / 2);
  setup.queue.push(envelope(2, BEN));
  setup.inbox.add(setup.queue.at(-1)!);
  await setup.inbox.work();
  setup.failure = null;
  await vi.advanceTimersByTimeAsync(2 * LIMITS.listsAgainMs.value);
  expect(setup.received).toEqual([1, 2]);
});

test('where the line is lost meanwhile, nobody is put back', async () => {
  const setup = new Setup();
  setup.failure = new OfflineError('lost');
  setup.queue = [envelope(1, BEN)];
  await setup.inbox.drain();
  setup.failure = null;
  await setup.inbox.work();
  expect(setup.received).toEqual([1]);
  expect(setup.faults).toEqual([]);
});

test('of whom the vault holds something, the queue is read again, and nothing is lost', async () => {
  const setup = new Setup();
  setup.holds = true;
  setup.queue = [envelope(1, BEN), envelope(2, ADA)];
  await setup.inbox.drain();
  expect(setup.received).toEqual([2]);
  setup.holds = false;
  await vi.advanceTimersByTimeAsync(LIMITS.strangersAgainMs.value);
  expect(setup.received).toEqual([2, 1]);
  expect(setup.queue).toEqual([]);
});

test('what was dropped is told once', async () => {
  const setup = new Setup();
  setup.drops = 1;
  setup.queue = [envelope(1, ADA)];
  await setup.inbox.drain();
  setup.inbox.add(envelope(2, ADA));
  await setup.inbox.work();
  expect(setup.faults).toEqual([expect.any(UnknownSender)]);
});
