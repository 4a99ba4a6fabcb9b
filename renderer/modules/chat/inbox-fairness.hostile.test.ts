import { afterEach, expect, test, vi } from 'vitest';
import type { Envelope } from '../../../protocol/chat.ts';
import { DeviceId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { Inbox } from './inbox.ts';

const ADA = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001');
const BEN = UserId.parse('9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a002');

function envelope(queueId: number, userId: UserId): Envelope {
  return {
    queueId,
    messageId: MessageId.parse(crypto.randomUUID()),
    sender: { userId, deviceId: DeviceId.parse(1) },
    position: 1,
    payload: '',
    key: { type: 'message', body: '' },
  };
}

const NO_CHANGES = { messages: [], removed: [], conversations: [] } as const;

/** Takes in at most four at once, and finds everything of `unreadable` so, or costly. */
function vaultWithout(unreadable: UserId, turns: number[][], found: 'refused' | 'costly' = 'refused'): Vault {
  const receive: Vault['receive'] = ({ envelopes }) => {
    const taken = envelopes.slice(0, 4);
    const acknowledge = taken.map(({ queueId }) => queueId);
    turns.push(acknowledge);
    const senders = taken.flatMap(({ sender }) => (sender.userId === unreadable ? [`${unreadable}.1`] : []));
    const nothing = { refused: [], costly: [], held: [], dropped: 0, arrived: [], needLists: null };
    return Promise.resolve({ ...nothing, acknowledge, changes: NO_CHANGES, [found]: senders });
  };
  return { receive } as Partial<Vault> as Vault;
}

function inboxWith(
  vault: Vault,
  request: (method: unknown, params: { after: number; limit: number }) => Promise<unknown>,
  faults: unknown[] = [],
): Inbox {
  const connection = { state: { kind: 'online' }, request } as unknown as Connection;
  const received = () => undefined;
  const lists = { fetch: () => Promise.resolve() } as unknown as ConstructorParameters<typeof Inbox>[0]['lists'];
  return new Inbox({ connection, vault, lists, received, report: (error) => void faults.push(error) });
}

/** A queue of one page; whatever else is asked is answered with nothing. */
function page(envelopes: readonly Envelope[]): () => Promise<unknown> {
  return () => Promise.resolve({ envelopes, more: false });
}

afterEach(() => vi.useRealTimers());

test('a server that always says there is more, and gives the same again, is asked twice', async () => {
  for (const queueId of [1, Number.MAX_SAFE_INTEGER]) {
    let asked = 0;
    const request = () => {
      asked += 1;
      if (asked > 50) throw new Error('asked for ever');
      return Promise.resolve({ envelopes: [envelope(queueId, ADA)], more: true });
    };
    await inboxWith(vaultWithout(BEN, []), request).drain();
    expect(asked).toBeLessThan(10);
  }
});

test('what others sent goes before more from a device that sent garbage, and all of it is taken in', async () => {
  const turns: number[][] = [];
  const garbage = Array.from({ length: 40 }, (_, i) => envelope(i + 1, BEN));
  const others = Array.from({ length: 4 }, (_, i) => envelope(i + 41, ADA));
  await inboxWith(vaultWithout(BEN, turns), page([...garbage, ...others])).drain();
  expect(turns[0]).toEqual([1, 2, 3, 4]);
  expect(turns[1]).toEqual([41, 42, 43, 44]);
  expect(turns.slice(2).flat()).toEqual(Array.from({ length: 36 }, (_, i) => i + 5));
});

test.each(['refused', 'costly'] as const)('nor do others wait behind pages of it that are %s', async (found) => {
  const turns: number[][] = [];
  const flood = Array.from({ length: 500 }, (_, i) => envelope(i + 1, BEN));
  const queue = [...flood, envelope(501, ADA)];
  const request = (_method: unknown, { after, limit }: { after: number; limit: number }) =>
    Promise.resolve({
      envelopes: queue.slice(after, after + limit),
      more: after + limit < queue.length,
    });
  await inboxWith(vaultWithout(BEN, turns, found), request).drain();
  expect(turns.findIndex((taken) => taken.includes(501))).toBeLessThan(25);
  expect(turns.flat().toSorted((a, b) => a - b)).toEqual(queue.map(({ queueId }) => queueId));
});

test('after a minute it is like others again', async () => {
  vi.useFakeTimers();
  const turns: number[][] = [];
  const vault = vaultWithout(BEN, turns);
  const mixed = [envelope(2, BEN), envelope(3, ADA), envelope(4, BEN)];
  const inbox = inboxWith(vault, page(mixed));
  inbox.add(envelope(1, BEN));
  await inbox.work();
  vi.advanceTimersByTime(61_000);
  await inbox.drain();
  expect(turns).toEqual([[1], [2, 3, 4]]);
});
