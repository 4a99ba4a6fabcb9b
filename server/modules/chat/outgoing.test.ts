import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { DeviceId, IdempotencyId, UserId } from '../../../protocol/ids.ts';
import { storageFailure } from '../../store/storage-failure.ts';
import { openStore } from '../../store/store.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import { ExpiredNews } from './expired-news.ts';
import { defaultQuotas } from './quotas.ts';
import { Outgoing } from './outgoing.ts';
import { ChatStore } from './store.ts';

const ADA = randomUUID() as string as UserId;
const BOB = randomUUID() as string as UserId;
const NOBODY = { work: () => undefined };
const DEVICE = 1 as DeviceId;

it('makes the acknowledgements durable that share a transaction with messages for which there is no space', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'teahouse-outgoing-'));
  const store = await openStore({ dataDir });
  const chatStore = new ChatStore(store.kind);
  const devices = new Map([ADA, BOB].map((userId) => [userId, new Set([DEVICE])]));
  const events = { toDeviceInHalves: () => undefined } as Partial<EventSink> as EventSink;
  const outgoing = new Outgoing({
    store,
    chatStore,
    quotas: defaultQuotas(1e9, 1),
    events,
    news: new ExpiredNews(events),
    now: Date.now,
    devicesOf: async () => devices,
  });
  const send = (bytes: number) =>
    outgoing.send({
      scope: 'ada',
      id: randomUUID() as string as IdempotencyId,
      sender: { userId: ADA, deviceId: DEVICE },
      payload: randomBytes(bytes).toString('base64'),
      recipients: [{ userId: BOB, listVersion: 1, keys: [{ deviceId: DEVICE, type: 'message', body: 'AAAA' }] }],
      payer: NOBODY,
    });
  const { position } = await send(100);
  const { rows } = await sql<{ pageCount: number }>`pragma page_count`.execute(store.db);
  await sql`pragma max_page_count = ${sql.lit(rows[0]?.pageCount ?? 0)}`.execute(store.db);

  const [sent, acknowledged] = await Promise.allSettled([
    send(60_000),
    outgoing.acknowledge({ userId: BOB, deviceId: DEVICE, positions: [position], payer: NOBODY }),
  ]);
  expect(sent.status === 'rejected' && storageFailure(sent.reason)).toBe('full');
  expect(acknowledged.status).toBe('fulfilled');
  expect(await store.db.selectFrom('queue').selectAll().execute()).toEqual([]);
  expect(await store.db.selectFrom('messages').selectAll().execute()).toEqual([]);
  await store.close();
  await rm(dataDir, { recursive: true });
});
