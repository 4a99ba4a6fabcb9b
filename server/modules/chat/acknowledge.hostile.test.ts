import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DeviceId, IdempotencyId, UserId } from '../../../protocol/ids.ts';
import { openStore, type Store } from '../../store/store.ts';
import type { Trx } from '../../store/schema.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import { ExpiredNews } from './expired-news.ts';
import { LIMITS } from './limits.ts';
import { Outgoing } from './outgoing.ts';
import { defaultQuotas } from './quotas.ts';
import { ChatStore } from './store.ts';

/* Somebody acknowledges what they never had, by the hundred thousand. */

const [ADA, BOB] = [randomUUID() as string as UserId, randomUUID() as string as UserId];
const DEVICE = 1 as DeviceId;

class Account {
  readonly pieces: number[] = [];
  work(ms: number): void {
    this.pieces.push(ms);
  }
}

onEachDatabase((newDatabase) => {
  let dataDir: string;
  let store: Store;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-acknowledge-'));
    store = await openStore({ dataDir, databaseUrl: (await newDatabase()).DATABASE_URL });
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  function outgoingOf(on: Store): Outgoing {
    const events = { toDeviceInHalves: () => undefined, toUser: () => undefined } as Partial<EventSink> as EventSink;
    return new Outgoing({
      store: on,
      chatStore: new ChatStore(store.kind),
      quotas: defaultQuotas(1e9, 1),
      events,
      news: new ExpiredNews(events),
      now: Date.now,
      devicesOf: async () => new Map([ADA, BOB].map((userId) => [userId, new Set([DEVICE])])),
    });
  }

  const message = (payer: Account) => ({
    scope: `${ADA}/1`,
    id: randomUUID() as string as IdempotencyId,
    sender: { userId: ADA, deviceId: DEVICE },
    payload: 'A'.repeat(40),
    recipients: [{ userId: BOB, listVersion: 1, keys: [{ deviceId: DEVICE, type: 'message' as const, body: 'AAAA' }] }],
    payer,
  });

  it('what was not in their queue is not looked for among the messages', async () => {
    // In no queue, so whoever looks would delete it.
    const lost = { position: 5, messageId: randomUUID(), senderUserId: ADA, senderDeviceId: DEVICE };
    await store.db
      .insertInto('messages')
      .values({ ...lost, payload: Buffer.of(1) })
      .execute();
    await outgoingOf(store).acknowledge({ userId: BOB, deviceId: DEVICE, positions: [5], payer: new Account() });
    expect(await store.db.selectFrom('messages').select('position').execute()).toHaveLength(1);
  });

  it('they are carried out a bounded number at a time, and none is left out', async () => {
    let transactions = 0;
    const counting: Store = {
      ...store,
      transaction: <T>(work: (trx: Trx) => Promise<T>) => {
        transactions += 1;
        return store.transaction(work);
      },
    };
    const outgoing = outgoingOf(counting);
    const [ada, bob] = [new Account(), new Account()];
    const { position } = await outgoing.send(message(ada));
    transactions = 0;
    const positions = Array.from({ length: 500 }, (_, index) => index + 1);
    const requests = 40;
    const asked = Array.from({ length: requests - 1 }, () =>
      outgoing.acknowledge({ userId: BOB, deviceId: DEVICE, positions, payer: bob }),
    );
    await Promise.all([
      ...asked,
      outgoing.acknowledge({ userId: BOB, deviceId: DEVICE, positions: [...positions.slice(1), position], payer: bob }),
    ]);
    expect(transactions).toBe((requests * positions.length) / LIMITS.batchPositions.value);
    expect(await store.db.selectFrom('queue').selectAll().execute()).toEqual([]);
    expect(await store.db.selectFrom('messages').selectAll().execute()).toEqual([]);
    // PostgreSQL works elsewhere, and nobody waits for it.
    expect(bob.pieces.some((ms) => ms > 0)).toBe(store.kind === 'sqlite');
  });

  it('the time of a transaction that several share counts for each', async () => {
    const outgoing = outgoingOf(store);
    const [ada, bob] = [new Account(), new Account()];
    const positions = Array.from({ length: 297 }, (_, index) => index + 1);
    await Promise.all([
      outgoing.send(message(ada)),
      outgoing.acknowledge({ userId: BOB, deviceId: DEVICE, positions, payer: bob }),
    ]);
    await outgoing.flush();
    // A message, its answer and its copy are three rows. What comes after that is for handing it over.
    const [ofAda = 0, handedOver] = ada.pieces;
    expect(bob.pieces).toEqual([expect.closeTo(ofAda * 99, 6)]);
    expect(ofAda > 0).toBe(store.kind === 'sqlite');
    expect(handedOver).toBeGreaterThan(0);
  });
});
