import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceAddress, DeviceId, IdempotencyId, UserId } from '../../../protocol/ids.ts';
import { pruneAnswers, REPLAY_MS } from '../../store/once.ts';
import { openStore, type Store } from '../../store/store.ts';
import { onEachDatabase, type NewDatabase } from '../../testing/databases.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import { ExpiredNews } from './expired-news.ts';
import { Outgoing } from './outgoing.ts';
import { defaultQuotas } from './quotas.ts';
import { ChatStore } from './store.ts';

/* Somebody who looks for a way of messages on which less is counted than is kept, or more given back than was taken. */

vi.setConfig({ testTimeout: 120_000 });

const USERS = [1, 2, 3].map(() => randomUUID() as string as UserId);
const DEVICES = [1, 2].map((id) => id as DeviceId);
const ADDRESSES = USERS.flatMap((userId) => DEVICES.map((deviceId): DeviceAddress => ({ userId, deviceId })));
/** So little that queues fill, copies are skipped and messages refused. */
const QUOTAS = { ...defaultQuotas(1e9, 1), queueBytes: 4000, queueMessages: 8 };

const NOBODY = { work: () => undefined };

const address = fc.nat(ADDRESSES.length - 1);
const Step = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    from: address,
    to: fc.uniqueArray(fc.nat(USERS.length - 1), { maxLength: USERS.length }),
    times: fc.integer({ min: 1, max: 4 }),
    bytes: fc.nat(700),
    keyBytes: fc.integer({ min: 1, max: 300 }),
    repeated: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('acknowledge' as const), at: address, first: fc.nat(6), count: fc.nat(6) }),
  fc.record({ kind: fc.constant('revoke' as const), at: address }),
  fc.record({ kind: fc.constant('remove' as const), user: fc.nat(USERS.length - 1) }),
  fc.record({ kind: fc.constant('forget' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('expire' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  // What two processes do at once, neither of which sees what the other deletes.
  fc.record({ kind: fc.constant('both' as const), one: address, other: address }),
);
type Step = typeof Step extends fc.Arbitrary<infer T> ? T : never;

onEachDatabase((newDatabase) => {
  it('counts what is kept, and no more or less, after every history of messages', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 8, maxLength: 30 }), async (steps) => {
        await withStore(newDatabase, async (store) => {
          const history = new History(store);
          for (const step of steps) await history.take(step);
          expect(await counted(store)).toEqual(await recounted(store));
          await history.expire(1);
          await history.expire(1);
          await history.forget(1);
          expect(await counted(store), 'nothing is left').toEqual({ rows: [], total: 0 });
        });
      }),
      { numRuns: 15 },
    );
  });
});

class History {
  readonly #store: Store;
  readonly #chatStore: ChatStore;
  readonly #outgoing: Outgoing;
  #now = Date.now();

  constructor(store: Store) {
    this.#store = store;
    this.#chatStore = new ChatStore(store.kind);
    const events = { toDeviceInHalves: () => undefined, toUser: () => undefined } as Partial<EventSink> as EventSink;
    const devices = new Map(USERS.map((userId) => [userId, new Set(DEVICES)]));
    this.#outgoing = new Outgoing({
      store,
      chatStore: this.#chatStore,
      quotas: QUOTAS,
      events,
      news: new ExpiredNews(events),
      now: () => ++this.#now,
      devicesOf: async () => devices,
    });
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'send') return this.#send(step);
    if (step.kind === 'acknowledge') return this.#acknowledge(step.at, step.first, step.count);
    if (step.kind === 'revoke') return this.#deleteQueues([pick(ADDRESSES, step.at)]);
    if (step.kind === 'expire') return this.expire(step.share);
    if (step.kind === 'forget') return this.forget(step.share);
    if (step.kind === 'remove')
      return this.#deleteQueues(ADDRESSES.filter(({ userId }) => userId === pick(USERS, step.user)));
    await Promise.all([this.#acknowledge(step.one, 0, 100), this.#deleteQueues([pick(ADDRESSES, step.other)])]);
  }

  async #send({ from, to, times, bytes, keyBytes, repeated }: Extract<Step, { kind: 'send' }>): Promise<void> {
    const sender = pick(ADDRESSES, from);
    const users = new Set([sender.userId, ...to.map((index) => pick(USERS, index))]);
    const recipients = [...users].map((userId) => ({
      userId,
      listVersion: 1,
      keys: DEVICES.filter((deviceId) => userId !== sender.userId || deviceId !== sender.deviceId).map((deviceId) => ({
        deviceId,
        type: 'message' as const,
        body: randomBytes(keyBytes).toString('base64'),
      })),
    }));
    const ids = Array.from({ length: times }, () => randomUUID() as string as IdempotencyId);
    const sends = (repeated ? [...ids, ...ids] : ids).map((id) =>
      this.#outgoing.send({
        scope: `${sender.userId}/session-${sender.deviceId}`,
        id,
        sender,
        payload: randomBytes(bytes).toString('base64'),
        recipients,
        payer: NOBODY,
      }),
    );
    for (const result of await Promise.allSettled(sends)) {
      if (result.status === 'rejected' && !ProtocolError.is(result.reason, 'queue_full')) throw result.reason;
    }
  }

  async #acknowledge(at: number, first: number, count: number): Promise<void> {
    const { userId, deviceId } = pick(ADDRESSES, at);
    const { rows } = await this.#chatStore.pending(this.#store.db, { userId, deviceId }, 0, 100, 1e6);
    const positions = rows.slice(first, first + count).map(({ position }) => position);
    // A repeat, and what was never there, give nothing back.
    for (let i = 0; i < 2; i++)
      await this.#outgoing.acknowledge({ userId, deviceId, positions: [...positions, 7], payer: NOBODY });
  }

  /** None of the devices here is on a list. */
  async #deleteQueues(addresses: readonly DeviceAddress[]): Promise<void> {
    for (const address of addresses) {
      for (let empty = false; !empty;)
        empty = await this.#store.transaction((trx) => this.#chatStore.emptySome(trx, address));
    }
  }

  /** The older `share` of the answers. */
  async forget(share: number): Promise<void> {
    const rows = await this.#store.db.selectFrom('idempotency').select('createdAt').orderBy('createdAt').execute();
    const before = rows[Math.floor(share * rows.length)]?.createdAt ?? this.#now + 1;
    await pruneAnswers(this.#store.db, before + REPLAY_MS);
  }

  /** The older `share` of what waits. */
  async expire(share: number): Promise<void> {
    const rows = await this.#store.db.selectFrom('messages').select('position').orderBy('position').execute();
    const before = rows[Math.floor(share * rows.length)]?.position ?? Number.MAX_SAFE_INTEGER;
    await this.#store.transaction((trx) => this.#chatStore.expire(trx, before, 1000));
  }
}

interface Counts {
  readonly rows: readonly {
    readonly of: string;
    readonly bytes: number;
    readonly messages: number;
    readonly answers: number;
  }[];
  readonly total: number;
}

async function counted({ db }: Store): Promise<Counts> {
  const rows = await db.selectFrom('queueUse').selectAll().execute();
  const total = await db.selectFrom('counters').select('value').where('name', '=', 'queued_bytes').executeTakeFirst();
  const used = rows.filter(({ bytes, messages, answers }) => bytes !== 0 || messages !== 0 || answers !== 0);
  return { rows: inOrder(used), total: total?.value ?? 0 };
}

/** From the rows themselves: each device's copies, each sender's payloads once and every key. */
async function recounted({ db }: Store): Promise<Counts> {
  const copies = await sql<CountedRow>`select user_id, device_id, count(*) as messages, 0 as answers,
    sum(length(key_body) + (select length(payload) from messages where messages.position = queue.position)) as bytes
    from queue group by user_id, device_id`.execute(db);
  const sent = await sql<CountedRow>`select sender_user_id as user_id, 0 as device_id, count(*) as messages,
    0 as answers, sum(length(payload) +
      coalesce((select sum(length(key_body)) from queue where queue.position = messages.position), 0)) as bytes
    from messages group by sender_user_id`.execute(db);
  const answers = new Map<string, number>();
  for (const { scope } of await db.selectFrom('idempotency').select('scope').execute()) {
    const [userId = ''] = scope.split('/');
    answers.set(userId, (answers.get(userId) ?? 0) + 1);
  }
  const accounts = USERS.map((userId) => ({
    bytes: 0,
    messages: 0,
    ...sent.rows.find((row) => row.userId === userId),
    userId,
    deviceId: 0,
    answers: answers.get(userId) ?? 0,
  })).filter(({ messages, answers: kept }) => messages > 0 || kept > 0);
  const total = sent.rows.reduce((sum, { bytes }) => sum + Number(bytes), 0);
  return { rows: inOrder([...copies.rows, ...accounts]), total };
}

interface CountedRow {
  readonly userId: string;
  readonly deviceId: number;
  /** PostgreSQL's sums are texts. */
  readonly bytes: number | string;
  readonly messages: number;
  readonly answers: number;
}

function inOrder(rows: readonly CountedRow[]): Counts['rows'] {
  return rows
    .map(({ userId, deviceId, bytes, messages, answers }) => ({
      of: `${userId}/${deviceId}`,
      bytes: Number(bytes),
      messages,
      answers,
    }))
    .toSorted((a, b) => (a.of < b.of ? -1 : 1));
}

async function withStore(newDatabase: NewDatabase, work: (store: Store) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'teahouse-ledger-'));
  try {
    const store = await openStore({ dataDir, databaseUrl: (await newDatabase()).DATABASE_URL });
    try {
      await work(store);
    } finally {
      await store.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error('there are not so many');
  return item;
}
